package ingress

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const secretA, secretB = "first-signing-key", "second-signing-key"

var signedAt = time.Unix(1_795_000_000, 0)

// hexMAC computes a MAC apart from the code under test.
func hexMAC(key string, parts ...string) string {
	h := hmac.New(sha256.New, []byte(key))
	for _, p := range parts {
		_, _ = h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func base64MAC(key string, parts ...string) string {
	raw, _ := hex.DecodeString(hexMAC(key, parts...))
	return base64.StdEncoding.EncodeToString(raw)
}

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func verifier(t testing.TB, source string, cfg Signature) *Verifier {
	t.Helper()
	v, err := NewVerifier(source, cfg)
	require.NoError(t, err)
	return v
}

func TestVerifyBodySchemes(t *testing.T) {
	t.Parallel()
	const body = `{"event_type":"work_order.created","data":{"id":7}}`
	right := hexMAC(secretA, body)
	one := Signature{Secrets: []Secret{{Value: secretA}}}
	with := func(scheme string) Signature {
		return Signature{Scheme: scheme, Secrets: []Secret{{Value: secretA}}}
	}
	const header = "X-RentVine-Signature"
	for name, tc := range map[string]struct {
		cfg  Signature
		h    http.Header
		body string
		want error
	}{
		"right":                    {one, headers(header, "sha256="+right), body, nil},
		"header name in any case":  {one, headers("x-rENTVINE-signature", "sha256="+right), body, nil},
		"upper-case hex":           {one, headers(header, "sha256="+strings.ToUpper(right)), body, nil},
		"missing":                  {one, http.Header{}, body, ErrSignatureMissing},
		"empty":                    {one, headers(header, ""), body, ErrSignatureMissing},
		"doubled":                  {one, headers(header, "sha256="+right, header, "sha256="+right), body, ErrSignatureDoubled},
		"doubled in one line":      {one, headers(header, "sha256="+right+",sha256="+right), body, ErrSignatureMalformed},
		"no prefix":                {one, headers(header, right), body, ErrSignatureMalformed},
		"wrong prefix":             {one, headers(header, "sha1="+right), body, ErrSignatureMalformed},
		"prefix in another case":   {one, headers(header, "SHA256="+right), body, ErrSignatureMalformed},
		"prefix alone":             {one, headers(header, "sha256="), body, ErrSignatureMalformed},
		"space before":             {one, headers(header, "sha256= "+right), body, ErrSignatureMalformed},
		"truncated":                {one, headers(header, "sha256="+right[:62]), body, ErrSignatureMalformed},
		"truncated to one byte":    {one, headers(header, "sha256="+right[:2]), body, ErrSignatureMalformed},
		"over-long":                {one, headers(header, "sha256="+right+"00"), body, ErrSignatureMalformed},
		"not hex":                  {one, headers(header, "sha256="+strings.Repeat("zz", 32)), body, ErrSignatureMalformed},
		"all zeros":                {one, headers(header, "sha256="+strings.Repeat("00", 32)), body, ErrSignatureWrong},
		"another key":              {one, headers(header, "sha256="+hexMAC(secretB, body)), body, ErrSignatureWrong},
		"another source's header":  {one, headers("X-OpenMoove-Signature", "sha256="+right), body, ErrSignatureMissing},
		"body with one more space": {one, headers(header, "sha256="+right), body + " ", ErrSignatureWrong},
		"body with a BOM":          {one, headers(header, "sha256="+right), "\ufeff" + body, ErrSignatureWrong},
		"BOM that was signed":      {one, headers(header, "sha256="+hexMAC(secretA, "\ufeff"+body)), "\ufeff" + body, nil},
		"empty body":               {one, headers(header, "sha256="+hexMAC(secretA, "")), "", nil},
		"plain hex":                {with(SchemeHexBody), headers(header, right), body, nil},
		"plain hex with prefix":    {with(SchemeHexBody), headers(header, "sha256="+right), body, ErrSignatureMalformed},
		"base64":                   {with(SchemeBase64Body), headers(header, base64MAC(secretA, body)), body, nil},
		"base64 without padding":   {with(SchemeBase64Body), headers(header, strings.TrimRight(base64MAC(secretA, body), "=")), body, ErrSignatureMalformed},
		"hex where base64 is due":  {with(SchemeBase64Body), headers(header, right), body, ErrSignatureMalformed},
		"another header by name": {Signature{Header: "X-Sig", Secrets: []Secret{{Value: secretA}}},
			headers("X-Sig", "sha256="+right), body, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := verifier(t, SourceRentVine, tc.cfg).Verify(tc.h, []byte(tc.body), signedAt)
			require.Equal(t, tc.want, err)
		})
	}
}

func TestVerifyOpenMoove(t *testing.T) {
	t.Parallel()
	v := verifier(t, SourceOpenMoove, Signature{Secrets: []Secret{{Value: secretA}}})
	_, err := v.Verify(headers("X-OpenMoove-Signature", "sha256="+hexMAC(secretA, "{}")), []byte("{}"), signedAt)
	require.NoError(t, err)
}

func TestVerifyTimestamp(t *testing.T) {
	t.Parallel()
	const body = `{}`
	now := signedAt.Unix()
	for name, tc := range map[string]struct {
		stamp string
		want  error
	}{
		"now":                  {fmt.Sprint(now), nil},
		"300 s ago":            {fmt.Sprint(now - 300), nil},
		"301 s ago":            {fmt.Sprint(now - 301), ErrSignatureStale},
		"300 s ahead":          {fmt.Sprint(now + 300), nil},
		"301 s ahead":          {fmt.Sprint(now + 301), ErrSignatureFuture},
		"zero":                 {"0", ErrSignatureStale},
		"negative":             {"-1", ErrSignatureMalformed},
		"plus sign":            {"+" + fmt.Sprint(now), ErrSignatureMalformed},
		"float":                {fmt.Sprintf("%d.0", now), ErrSignatureMalformed},
		"exponent":             {"1e9", ErrSignatureMalformed},
		"overflow":             {"99999999999999999999", ErrSignatureMalformed},
		"largest int64":        {"9223372036854775807", ErrSignatureMalformed},
		"largest that is read": {"999999999999", ErrSignatureFuture},
		"hex":                  {"0x6b", ErrSignatureMalformed},
		"other digits":         {"١٢٣", ErrSignatureMalformed},
		"date":                 {"2026-11-21T10:00:00Z", ErrSignatureMalformed},
		"space":                {" " + fmt.Sprint(now), ErrSignatureMalformed},
		"empty":                {"", ErrSignatureMissing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for scheme, written := range map[string]string{
				SchemeTimestampBody:       "sha256=" + hexMAC(secretA, tc.stamp, ".", body),
				SchemeHexTimestampBody:    hexMAC(secretA, tc.stamp, ".", body),
				SchemeBase64TimestampBody: base64MAC(secretA, tc.stamp, ".", body),
			} {
				v := verifier(t, SourceRentVine, Signature{Scheme: scheme, Secrets: []Secret{{Value: secretA}}})
				_, err := v.Verify(headers("X-RentVine-Signature", written, "X-RentVine-Timestamp", tc.stamp), []byte(body), signedAt)
				require.Equal(t, tc.want, err, scheme)
			}
		})
	}
}

func TestVerifyTimestampIsSigned(t *testing.T) {
	t.Parallel()
	v := verifier(t, SourceRentVine, Signature{Scheme: SchemeTimestampBody, Secrets: []Secret{{Value: secretA}}})
	h := http.Header{}
	require.NoError(t, v.Sign(h, []byte("{}"), "", signedAt.Add(-time.Hour)))
	_, err := v.Verify(h, []byte("{}"), signedAt)
	require.Equal(t, ErrSignatureStale, err)

	h.Set("X-RentVine-Timestamp", fmt.Sprint(signedAt.Unix()))
	_, err = v.Verify(h, []byte("{}"), signedAt)
	require.Equal(t, ErrSignatureWrong, err, "a fresh timestamp on an old signature")

	h.Add("X-RentVine-Timestamp", fmt.Sprint(signedAt.Unix()))
	_, err = v.Verify(h, []byte("{}"), signedAt)
	require.Equal(t, ErrSignatureDoubled, err)
}

func TestVerifySeveralSecrets(t *testing.T) {
	t.Parallel()
	hour := func(n int) time.Time { return signedAt.Add(time.Duration(n) * time.Hour) }
	for name, tc := range map[string]struct {
		secrets []Secret
		key     string
		want    error
	}{
		"new of two":             {[]Secret{{Value: secretA}, {Value: secretB}}, secretA, nil},
		"old of two":             {[]Secret{{Value: secretA}, {Value: secretB}}, secretB, nil},
		"neither":                {[]Secret{{Value: secretA}, {Value: secretB}}, "third", ErrSignatureWrong},
		"old before its end":     {[]Secret{{Value: secretA}, {Value: secretB, NotAfter: hour(1)}}, secretB, nil},
		"old at its end":         {[]Secret{{Value: secretA}, {Value: secretB, NotAfter: hour(0)}}, secretB, nil},
		"old after its end":      {[]Secret{{Value: secretA}, {Value: secretB, NotAfter: hour(-1)}}, secretB, ErrSignatureWrong},
		"new before its start":   {[]Secret{{Value: secretA, NotBefore: hour(1)}, {Value: secretB}}, secretA, ErrSignatureWrong},
		"new at its start":       {[]Secret{{Value: secretA, NotBefore: hour(0)}, {Value: secretB}}, secretA, nil},
		"none is live":           {[]Secret{{Value: secretA, NotAfter: hour(-1)}}, secretA, ErrSignatureWrong},
		"same key, second lives": {[]Secret{{Value: secretA, NotAfter: hour(-1)}, {Value: secretA}}, secretA, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := verifier(t, SourceRentVine, Signature{Secrets: tc.secrets})
			_, err := v.Verify(headers("X-RentVine-Signature", "sha256="+hexMAC(tc.key, "{}")), []byte("{}"), signedAt)
			require.Equal(t, tc.want, err)
		})
	}
}

func TestVerifyStandardWebhooks(t *testing.T) {
	t.Parallel()
	const (
		secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
		id     = "msg_p5jXN8AQM9LWM0D4loKWxJek"
		stamp  = "1614265330"
		body   = `{"test": 2432232314}`
		good   = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	)
	now := time.Unix(1614265330, 0)
	for name, tc := range map[string]struct {
		id, stamp, signature string
		want                 error
	}{
		"published vector":  {id, stamp, good, nil},
		"second of a list":  {id, stamp, "v1,AAAA v1," + base64MAC("x", "y") + " " + good, nil},
		"beside v1a":        {id, stamp, "v1a,abcd " + good, nil},
		"v0 only":           {id, stamp, "v0" + good[2:], ErrSignatureMalformed},
		"no version":        {id, stamp, good[3:], ErrSignatureMalformed},
		"upper-case V1":     {id, stamp, "V1" + good[2:], ErrSignatureMalformed},
		"another MAC":       {id, stamp, "v1," + base64MAC("x", "y"), ErrSignatureWrong},
		"another id":        {"msg_other", stamp, good, ErrSignatureWrong},
		"id with a dot":     {"msg.1", stamp, good, ErrSignatureMalformed},
		"no id":             {"", stamp, good, ErrSignatureMissing},
		"endless id":        {strings.Repeat("a", 300), stamp, good, ErrSignatureMalformed},
		"endless list":      {id, stamp, strings.Repeat("v1,AAAA ", 30) + good, ErrSignatureMalformed},
		"another timestamp": {id, "1614265331", good, ErrSignatureWrong},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := verifier(t, SourceRentVine, Signature{Scheme: SchemeStandardWebhooks, Secrets: []Secret{{Value: secret}}})
			got, err := v.Verify(headers("webhook-id", tc.id, "webhook-timestamp", tc.stamp, "webhook-signature", tc.signature), []byte(body), now)
			require.Equal(t, tc.want, err)
			if err == nil {
				require.Equal(t, id, got)
			}
		})
	}
	v := verifier(t, SourceRentVine, Signature{Scheme: SchemeStandardWebhooks, Secrets: []Secret{{Value: secret}}})
	_, err := v.Verify(headers("webhook-id", id, "webhook-timestamp", stamp, "webhook-signature", good), []byte(body), now.Add(301*time.Second))
	require.Equal(t, ErrSignatureStale, err)
}

func TestVerifyRentVineTriple(t *testing.T) {
	t.Parallel()
	const token = "0c3f"
	stamp := fmt.Sprint(signedAt.Unix())
	mac := hexMAC(secretA, stamp, token)
	body := func(auth string) string { return `{"auth":` + auth + `,"event":{"eventType":"x"},"data":{}}` }
	good := body(`{"signature":"` + mac + `","token":"` + token + `","timestamp":"` + stamp + `"}`)
	for name, tc := range map[string]struct {
		body string
		want error
	}{
		"right":                  {good, nil},
		"timestamp as a number":  {body(`{"signature":"` + mac + `","token":"` + token + `","timestamp":` + stamp + `}`), nil},
		"another token":          {strings.Replace(good, token, "0c3e", 1), ErrSignatureWrong},
		"no auth":                {`{"event":{},"data":{}}`, ErrSignatureMissing},
		"auth is a text":         {body(`"x"`), ErrSignatureMissing},
		"no token":               {body(`{"signature":"` + mac + `","timestamp":"` + stamp + `"}`), ErrSignatureMissing},
		"empty signature":        {body(`{"signature":"","token":"` + token + `","timestamp":"` + stamp + `"}`), ErrSignatureMissing},
		"two auth keys":          {strings.Replace(good, `,"event"`, `,"auth":{},"event"`, 1), ErrSignatureMalformed},
		"Auth in another case":   {strings.Replace(good, `"auth"`, `"Auth"`, 1), ErrSignatureMissing},
		"endless token":          {body(`{"signature":"` + mac + `","token":"` + strings.Repeat("a", 300) + `","timestamp":"` + stamp + `"}`), ErrSignatureMalformed},
		"not JSON":               {`auth`, ErrSignatureMalformed},
		"deep":                   {strings.Repeat("[", 5000) + strings.Repeat("]", 5000), ErrSignatureMalformed},
		"the body is not signed": {strings.Replace(good, `"x"`, `"y"`, 1), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := verifier(t, SourceRentVine, Signature{Scheme: SchemeRentVineTriple, Secrets: []Secret{{Value: secretA}}})
			_, err := v.Verify(http.Header{}, []byte(tc.body), signedAt.Add(time.Hour))
			require.Equal(t, tc.want, err)
		})
	}
	windowed := verifier(t, SourceRentVine, Signature{Scheme: SchemeRentVineTriple, Secrets: []Secret{{Value: secretA}}, Tolerance: time.Minute})
	_, err := windowed.Verify(http.Header{}, []byte(good), signedAt.Add(time.Hour))
	require.Equal(t, ErrSignatureStale, err)
	name, experimental := windowed.Scheme()
	require.Equal(t, SchemeRentVineTriple, name)
	require.True(t, experimental)
	require.Error(t, windowed.Sign(http.Header{}, nil, "", signedAt))
}

func TestNewVerifierRefuses(t *testing.T) {
	t.Parallel()
	live := []Secret{{Value: secretA}}
	for name, tc := range map[string]struct {
		source string
		cfg    Signature
		says   string
	}{
		"unknown scheme":         {SourceRentVine, Signature{Scheme: "md5", Secrets: live}, `unknown signature scheme "md5"`},
		"none":                   {SourceRentVine, Signature{Scheme: "none", Secrets: live}, "unknown signature scheme"},
		"no secrets":             {SourceRentVine, Signature{}, "no signing secret"},
		"empty secret":           {SourceRentVine, Signature{Secrets: []Secret{{}}}, "secret 1 is empty"},
		"dates reversed":         {SourceRentVine, Signature{Secrets: []Secret{{Value: "x", NotBefore: signedAt, NotAfter: signedAt.Add(-1)}}}, "ends before it begins"},
		"secret not base64":      {SourceRentVine, Signature{Scheme: SchemeStandardWebhooks, Secrets: []Secret{{Value: "whsec_%%"}}}, "must be base64"},
		"negative tolerance":     {SourceRentVine, Signature{Tolerance: -1, Secrets: live}, "negative"},
		"no name of a timestamp": {SourceOpenMoove, Signature{Scheme: SchemeTimestampBody, Secrets: live}, "needs the names of its headers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := NewVerifier(tc.source, tc.cfg)
			require.ErrorContains(t, err, tc.says)
			require.NotContains(t, err.Error(), secretA)
		})
	}
}

func TestSignThenVerify(t *testing.T) {
	t.Parallel()
	for _, scheme := range Schemes() {
		if scheme == SchemeRentVineTriple {
			continue
		}
		v := verifier(t, SourceRentVine, Signature{Scheme: scheme, Secrets: []Secret{{Value: "c2VjcmV0IGtleQ=="}}})
		h := http.Header{}
		require.NoError(t, v.Sign(h, []byte(`{"a":1}`), "msg_1", signedAt))
		_, err := v.Verify(h, []byte(`{"a":1}`), signedAt)
		require.NoError(t, err, scheme)
		_, err = v.Verify(h, []byte(`{"a":2}`), signedAt)
		require.Equal(t, ErrSignatureWrong, err, scheme)
	}
}

func TestSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	cfg := Signature{Secrets: []Secret{{Value: secretA}}}
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg), secretA)
}
