package policy

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const header = "id,role,name,firm,email,areas,methods,capacity\n"

func TestDirectoryOfACSVFile(t *testing.T) {
	t.Parallel()
	csv := "\xef\xbb\xbfRole, id,name,firm,email,areas,methods,capacity,phone\r\n" +
		"conveyancer,severn,\"Zoë \"\"Zo\"\" Ash\",\"Ash, Birch & Co\",desk@severn.example.com,bs;Ba1 ; bs1  4;,standard;secure_sale,12,+442079460000\r\n" +
		"\r\n,,,,,,,,\r\n" +
		"estate_agent,tyne,,Tyne Homes,agent@tyne.example.com,*,standard,5,\r\n"
	p, err := Load(writePolicy(t, []byte(csv), "conveyancer: lawson", "conveyancer: severn")) // a default may be in the CSV file
	require.NoError(t, err)
	s := p.Sales()
	require.Len(t, s.Professionals, 10, "those of the policy file come first")
	require.Equal(t, Professional{
		ID: "severn", Role: RoleConveyancer, Name: `Zoë "Zo" Ash`, Firm: "Ash, Birch & Co", Email: "desk@severn.example.com",
		Areas: []string{"BS", "BA1", "BS1 4"}, Methods: []string{MethodStandard, MethodSecureSale}, Capacity: 12, Phone: "+442079460000",
	}, s.Professionals[8])
	require.Equal(t, "tyne", s.Professionals[9].ID)

	edited, err := Load(writePolicy(t, []byte(strings.Replace(csv, ",5,", ",6,", 1)), "conveyancer: lawson", "conveyancer: severn"))
	require.NoError(t, err)
	require.NotEqual(t, p.Version(), edited.Version(), "the version is of both files")
}

func TestEverythingWrongWithTheDirectoryIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	csv := header +
		"severn,conveyancer,Zoë Ash,,desk@severn.example.com,BS,standard,12\n" +
		"severn,conveyancer,Ann Ash,,desk@severn.example.com,BS,standard,12\n" +
		"oakfield,butler,,,nowhere,QX;SW1A 1AA,raffle;raffle,many\n" +
		"short,row\n" +
		"Big One,estate_agent,\"two\nlines\",," + strings.Repeat("x", 1001) + "@example.com,,,0\n" +
		"latin,estate_agent,Zo\xeb,,latin@example.com,*,standard,1\n" +
		"agent2,estate_agent,,Firm,AGENT@oakfield.example.com,*,standard,1\n" +
		"stray,estate_agent,the \"best\" agent,,stray@example.com,*,standard,1\n"
	path := writePolicy(t, []byte(csv), "conveyancer: lawson", "conveyancer: missing")
	_, err := Load(path)
	var invalid *InvalidError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, path, invalid.File)
	var got []string
	for _, p := range invalid.Problems {
		require.Equal(t, "professionals.csv", p.File, p)
		got = append(got, fmt.Sprintf("%d %s", p.Line, p.Path))
	}
	require.ElementsMatch(t, []string{
		"3 id", "3 email",
		"4 id", "4 role", "4 name", "4 email", "4 areas[0]", "4 areas[1]", "4 methods[0]", "4 methods[1]", "4 methods[1]", "4 capacity",
		"5 ", "6 id", "6 name", "6 email", "6 areas", "6 methods", "6 capacity",
		"8 name", "9 email", "10 ",
	}, got, err)
	require.Contains(t, err.Error(), "professionals.csv line 3: id is the id of an earlier professional")
	require.Contains(t, err.Error(), "professionals.csv line 8: name is not UTF-8: save the file as CSV UTF-8")
	require.NotContains(t, err.Error(), "defaults", "who is missing may be in the rows that could not be read")
	for _, value := range []string{"Ash", "best", "raffle", "nowhere", "Big"} {
		require.NotContains(t, err.Error(), value, "values stay out of errors")
	}
}

func TestRefusedDirectories(t *testing.T) {
	t.Parallel()
	const row = "severn,conveyancer,Zoë Ash,,desk@severn.example.com,BS,standard,12\n"
	utf16 := bytes.Join([][]byte{{0xff, 0xfe}, []byte("i\x00d\x00,\x00")}, nil)
	for _, c := range []struct {
		name, csv, want string
	}{
		{"empty", "", "professionals.csv line 1: is empty: the first line must name the columns id,role,"},
		{"blank", "\n\n", "is empty"},
		{"UTF-16", string(utf16), "professionals.csv line 1: is not text in UTF-8: save it as CSV UTF-8"},
		{"a spreadsheet", "PK\x03\x04\x00\x00", "is not text in UTF-8"},
		{"no header", row, "line 1: must name the columns in its first line: id,role,"},
		{"semicolons", strings.ReplaceAll(header, ",", ";"), "line 1: must have commas between its columns"},
		{"tabs", strings.ReplaceAll(header, ",", "\t"), "line 1: must have commas between its columns"},
		{"missing columns", "id,role\n", "line 1: capacity must be a column"},
		{"unknown column", strings.Replace(header, "\n", ",shoe size\n", 1), "line 1: column 9 is not a known column; known are id,role,"},
		{"column twice", strings.Replace(header, "\n", ",ID\n", 1), "line 1: column 9 is there twice"},
		{"unclosed quote", header + "severn,conveyancer,\"Zoë Ash\nmore\n", "is not CSV: a quote that opens in line 2 is not closed"},
		{"quote in the header", "id,ro\"le\n" + row, "line 1: is not CSV: a quote is not closed"},
		{"too many cells", header + strings.Replace(row, "\n", ",,,\n", 1), "line 2: has 11 cells, not 8 as the first line"},
		{"a 5 MB cell", header + strings.Repeat("x", 5<<20), "sales.directory names a file larger than 4 MB"},
		{"a 2 MB cell", header + strings.Repeat("x", 2<<20) + row, "line 2: id is longer than 1000 bytes"},
		{"too many rows", header + strings.Repeat(row, maxProfessionals+1), "line 5002: has more than 5000 rows"},
		{"too many areas", header + strings.Replace(row, "BS", strings.Repeat("B;", 201), 1), "line 2: areas must have from 1 to 200 entries"},
	} {
		_, err := Load(writePolicy(t, []byte(c.csv)))
		var invalid *InvalidError
		require.ErrorAs(t, err, &invalid, c.name)
		require.Contains(t, err.Error(), c.want, c.name)
		require.NotContains(t, err.Error(), "Zoë", c.name)
		require.Less(t, len(err.Error()), 8000, c.name)
	}
	_, err := Load(writePolicy(t, nil))
	require.ErrorContains(t, err, "sales.directory names a file that does not exist beside the policy file")
	require.NotContains(t, err.Error(), "defaults")
}

// largeDirectory has n people besides those of the policy file.
func largeDirectory(n int) []byte {
	var b bytes.Buffer
	b.WriteString(header)
	for i := range n {
		fmt.Fprintf(&b, "pro%d,conveyancer,Person Number %d,Some Firm & Partners,pro%d@firm%d.example.com,SW;SE;W;WC;EC;E;N;NW;M1;LS1 4,standard;modern_auction;secure_sale,25\n", i, i, i, i%97)
	}
	return b.Bytes()
}

func TestALargeDirectoryLoadsQuickly(t *testing.T) {
	t.Parallel()
	path := writePolicy(t, largeDirectory(maxProfessionals-8))
	started := time.Now()
	p, err := Load(path)
	took := time.Since(started)
	require.NoError(t, err)
	require.Len(t, p.Sales().Professionals, maxProfessionals)
	require.Less(t, took, 20*time.Second, "an eighth of a second on an idle machine")

	_, err = Load(writePolicy(t, largeDirectory(maxProfessionals-7)))
	require.ErrorContains(t, err, "sales.professionals must have from 1 to 5000 entries", "those of both files count")
}

func TestAnEditOfTheDirectoryAppliesWithoutARestart(t *testing.T) {
	t.Parallel()
	const row = "severn,conveyancer,Zoë Ash,,desk@severn.example.com,BS,standard,12\n"
	path := writePolicy(t, []byte(header+row))
	directory := filepath.Join(filepath.Dir(path), "professionals.csv")
	stamped := time.Now().Add(-time.Hour)
	write := func(name string, text []byte) {
		stamped = stamped.Add(time.Minute)
		require.NoError(t, os.WriteFile(name, text, 0o600))
		require.NoError(t, os.Chtimes(name, stamped, stamped))
	}
	write(directory, []byte(header+row))
	var told []error
	f, err := Open(path, func(err error) { told = append(told, err) })
	require.NoError(t, err)
	capacity := func() int {
		f.lookAt = time.Time{} // two seconds later
		p, ok := f.Sales().Professional("severn")
		if !ok {
			return 0
		}
		return p.Capacity
	}
	require.Equal(t, 12, capacity())
	before := f.Sales().Version

	write(directory, []byte(header+strings.Replace(row, "12", "13", 1)))
	require.Equal(t, 13, capacity())
	require.NotEqual(t, before, f.Sales().Version)

	write(directory, []byte("nonsense"))
	for range 3 {
		require.Equal(t, 13, capacity(), "the last good policy stays in force")
	}
	require.Len(t, told, 1, "told once an edit")
	write(directory, []byte(header+strings.Replace(row, "12", "14", 1)))
	require.Equal(t, 14, capacity(), "mended")

	require.NoError(t, os.Remove(directory))
	require.Equal(t, 14, capacity(), "an editor may be replacing it")
	require.Len(t, told, 1)
	write(directory, []byte(header+strings.Replace(row, "12", "15", 1)))
	require.Equal(t, 15, capacity())

	// The policy file names another directory, which is missing, and then is there.
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	write(path, bytes.Replace(text, []byte("directory: professionals.csv"), []byte("directory: others.csv"), 1))
	require.Equal(t, 15, capacity())
	require.Len(t, told, 2)
	write(filepath.Join(filepath.Dir(path), "others.csv"), []byte(header+strings.Replace(row, "12", "16", 1)))
	require.Equal(t, 16, capacity())

	write(path, bytes.Replace(text, []byte("  directory: professionals.csv\n"), nil, 1))
	require.Equal(t, 0, capacity(), "and none at all")
	require.Len(t, told, 2)
}

func BenchmarkLoadLargeDirectory(b *testing.B) {
	text := largeDirectory(maxProfessionals - 8)
	b.Run("parse", func(b *testing.B) {
		for b.Loop() {
			parseDirectory("professionals.csv", text)
		}
	})
	p, err := parse("test", embedded)
	require.NoError(b, err)
	people := parseDirectory("professionals.csv", text).people
	for _, one := range people {
		p.sales.Professionals = append(p.sales.Professionals, one.Professional)
	}
	b.Run("Sales", func(b *testing.B) {
		for b.Loop() {
			p.Sales()
		}
	})
}
