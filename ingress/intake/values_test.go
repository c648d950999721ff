package intake

import (
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestEmail(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"test+ada@example.com":                                          "test+ada@example.com",
		"Test.Ada@Example.CO.UK":                                        "Test.Ada@example.co.uk",
		"o'neill@example.com":                                           "o'neill@example.com",
		"#!$%&'*+/=?^_`{|}~-@a1.io":                                     "#!$%&'*+/=?^_`{|}~-@a1.io",
		"a@x--y.example.com":                                            "a@x--y.example.com",
		"a@xn--mnchen-3ya.example":                                      "a@xn--mnchen-3ya.example",
		"a@MÜNCHEN.example":                                             "a@xn--mnchen-3ya.example",
		"a@mu\u0308nchen.example":                                       "a@xn--mnchen-3ya.example",
		"a@例え.テスト":                                                      "a@xn--r8jz45g.xn--zckzah",
		strings.Repeat("a", 64) + "@example.com":                        strings.Repeat("a", 64) + "@example.com",
		"a@" + strings.Repeat("b", 63) + ".com":                         "a@" + strings.Repeat("b", 63) + ".com",
		"test@" + strings.Repeat("a.", 123) + "com":                     "test@" + strings.Repeat("a.", 123) + "com",
		"one.two.three.four.five.six.seven.eight.nine@sub.domain.photo": "one.two.three.four.five.six.seven.eight.nine@sub.domain.photo",
	} {
		got, problems := oneField(t, "email", written)
		require.Empty(t, problems, written)
		require.Equal(t, want, got.Email)
	}
}

func TestEmailRefuses(t *testing.T) {
	t.Parallel()
	for _, written := range []string{
		"nobody", "@example.com", "a@", "a@b", "a@b.c", "a@@example.com", "a@b@example.com", "a b@example.com", "a@exam ple.com",
		"Ada <ada@example.com>", "<ada@example.com>", "ada@example.com, eve@example.com", "ada@example.com;eve@example.com",
		`"ada"@example.com`, `"a b"@example.com`, "ada(work)@example.com", "(work)ada@example.com", "mailto:ada@example.com",
		".ada@example.com", "ada.@example.com", "a..b@example.com", "ada@.example.com", "ada@example..com", "ada@example.com.",
		"ada@-example.com", "ada@example-.com", "ada@exa_mple.com", "ada@[192.0.2.1]", "ada@192.0.2.1", "ada@[IPv6:::1]",
		"adá@example.com", "ada@" + strings.Repeat("b", 64) + ".com", strings.Repeat("a", 65) + "@example.com",
		"ada@" + strings.Repeat("ü", 62) + ".example", `ada\@example.com`, "undisclosed:;", "=?utf-8?q?ada?=@example.com\x20x",
	} {
		_, problems := oneField(t, "email", written)
		require.Equal(t, []Problem{{Path: "email", Message: adviceEmail}}, problems, written)
	}
}

func TestAnAddressNamesAPlace(t *testing.T) {
	t.Parallel()
	for written, ok := range map[string]bool{
		"1": true, "Elm": true, "1 SE1 3LE": true, "Tanner Street, SE1 3LE": true, "SE1": true, "3LE SE1": true, "ü": true, "SE1 3LE SE1": true,
		"-": false, "., #/()": false, "SE1 3LE": false, "se1-3le": false, "(SE13LE)": false, "SE1 3LE, SE1 3LE": false, "🏠": false,
	} {
		sale, problems := Sale(encode(t, good(map[string]any{"property_address": written, "property_postcode": "SE1 3LE"})))
		if ok {
			require.Empty(t, problems, written)
			require.Equal(t, written, sale.Address)
			continue
		}
		require.Equal(t, []string{"property_address"}, paths(problems), written)
		require.Contains(t, problems[0].Message, "Write the house and street", written)
	}
}

func TestPhone(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"+447700900123":           "+447700900123",
		"07700 900123":            "+447700900123",
		"07700-900-123":           "+447700900123",
		"(07700) 900 123":         "+447700900123",
		"+44 (0) 7700 900123":     "+447700900123",
		"+44 (0)20 7946 0123":     "+442079460123",
		"0044 7700 900123":        "+447700900123",
		"447700900123":            "+447700900123",
		"44 7700 900123":          "+447700900123",
		"020 7946 0000":           "+442079460000",
		"0131 496 0123":           "+441314960123",
		"0808 157 0123":           "+448081570123",
		"016977 2345":             "+44169772345",
		"07700\u00a0900\u2011123": "+447700900123",
		"020 7946 0000 ext. 12":   "+442079460000",
		"020 7946 0000 x12":       "+442079460000",
		"+1 (202) 555-0123":       "+12025550123",
		"001 202 555 0123":        "+12025550123",
		"+353 20 915 0123":        "+353209150123",
		"+61 491 570 006":         "+61491570006",
	} {
		got, problems := oneField(t, "phone_number", written)
		require.Empty(t, problems, written)
		require.Equal(t, want, got.Phone)
	}
}

func TestPhoneRefuses(t *testing.T) {
	t.Parallel()
	for written, advice := range map[string]string{
		"call the office":               advicePhone,
		"Ada 07700 900123":              advicePhone,
		"07700 900123 (Ada)":            advicePhone,
		"07700 900123 or 900124":        advicePhone,
		"07700 900123 / 07700 900124":   advicePhone,
		"07700 900123, 07700 900124":    advicePhone,
		"0770090012":                    advicePhone,
		"077009001234":                  advicePhone,
		"+4477009001":                   advicePhone,
		"020 7946 000":                  advicePhone,
		"0000000000":                    advicePhone,
		"+44 0000 000000":               advicePhone,
		"0400 900 1234":                 advicePhone,
		"+999 7700 900123":              advicePhone,
		"+":                             advicePhone,
		"()":                            advicePhone,
		"-447700900123":                 advicePhone,
		"0800 FLOWERS":                  advicePhone,
		"+44" + strings.Repeat("7", 80): advicePhone,
		"#N/A":                          advicePhone,
		"7700900123":                    adviceLostZero,
		"7700 900 123":                  adviceLostZero,
		"2079460000":                    adviceLostZero,
		"2025550123":                    adviceLostZero,
		"1 202 555 0123":                adviceLostZero,
		"4.47701E+11":                   adviceScientific,
		"4,47701E+11":                   adviceScientific,
		"4.477009e11":                   adviceScientific,
		"7.700900123E+09":               adviceScientific,
		"4E+11":                         adviceScientific,
	} {
		_, problems := oneField(t, "phone_number", written)
		require.Equal(t, []Problem{{Path: "phone_number", Message: advice}}, problems, written)
	}
}

// The short way for UK numbers gives what the parser gives.
func TestPhoneShortWay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		written := rapid.StringMatching(`(\+44|0) ?[1237][0-9]{2,4}[ -]?[0-9]{5,7}`).Draw(t, "written")
		if !ukNumber.MatchString(undress.Replace(written)) {
			return
		}
		got, advice := phoneE164(written)
		require.Empty(t, advice)
		parsed, err := phonenumbers.Parse(written, "GB")
		require.NoError(t, err)
		require.Equal(t, phonenumbers.Format(parsed, phonenumbers.E164), got)
	})
}

func TestPostcode(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"M1 1AE": "M1 1AE", "B33 8TH": "B33 8TH", "CR2 6XH": "CR2 6XH", "DN55 1PT": "DN55 1PT", "W1A 0AX": "W1A 0AX", "EC1A 1BB": "EC1A 1BB",
		"sw1a1aa": "SW1A 1AA", "  SW1A   1AA ": "SW1A 1AA", "S W1A 1 AA": "SW1A 1AA", "SW1A\u00a01AA": "SW1A 1AA", "e1w 1la": "E1W 1LA",
		"N1C 4AG": "N1C 4AG", "WC2N 5DU": "WC2N 5DU", "SE1P 5LX": "SE1P 5LX", "gir 0aa": "GIR 0AA", "GIR0AA": "GIR 0AA",
		"JE2 3AB": "JE2 3AB", "GY1 1AA": "GY1 1AA", "IM1 1AA": "IM1 1AA", "BF1 2AA": "BF1 2AA", "BT1 5GS": "BT1 5GS",
		"BFPO 58": "BFPO 58", "bfpo58": "BFPO 58", "BFPO 1234": "BFPO 1234", "stHL1zz": "STHL 1ZZ", "GX11 1AA": "GX11 1AA",
	} {
		got, problems := oneField(t, "property_postcode", written)
		require.Empty(t, problems, written)
		require.Equal(t, want, got.Postcode)
	}
}

func TestPostcodeRefuses(t *testing.T) {
	t.Parallel()
	for _, written := range []string{
		"SW1A", "1AA", "SW1A 1A", "SW1A 1AAA", "SW1A AA1", "SW1A OAA", "SW1A 1CA", "SW1A 1AI", "SW1A 1KA", "SW1A 1MA", "SW1A 1AO", "SW1A 1AV",
		"Q1 1AA", "V1 1AA", "X1 1AA", "AI1 1AA", "AJ1 1AA", "AZ1 1AA", "W1I 1AA", "SW1C 1AA", "SW01 1AA", "SW123 1AA", "A1AA 1AA",
		"SW1A-1AA", "SW1A 1AA.", "SW1A 1AA London", "BFPO", "BFPO 0", "BFPO 12345", "STHL 1ZA", "ABCD 1ZZ", "NULL 1ZZ", "10001", "D02 AF30",
		"ＳＷ1A 1AA",
	} {
		_, problems := oneField(t, "property_postcode", written)
		require.Equal(t, []Problem{{Path: "property_postcode", Message: advicePostcode}}, problems, written)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"postcode": "property_postcode", "property_post_code": "property_postcode", "Phone": "phone_number", "phonenumber": "phone_number",
		"emial": "email", "e-mail": "email", "lastname": "last_name", "surname": "last_name", "conveyancer": "conveyancer_email",
		"solicitor email": "conveyancer_email", "auctioner_email": "auctioneer_email", "product": "products", "sale-methods": "sale_method",
		"propertyaddress": "property_address", "colour": "", "notes": "", "": "", "x": "", "test@example.com": "", strings.Repeat("email", 20): "",
	} {
		require.Equal(t, want, nearest(written), written)
	}
}

func TestOtherNamesAreReachable(t *testing.T) {
	t.Parallel()
	for name := range otherNames {
		require.Equal(t, name, columnName(name))
		require.Equal(t, noField, fieldNamed(name))
		require.NotEmpty(t, nearest(name))
	}
}
