// Package policy holds every number and text that a business may want to change:
// who is on call, how long anybody waits for an answer, what the texts say. They
// live in one YAML file with a section for the company and overrides for
// portfolios and single properties, and one for sales, whose directory of
// professionals may be a CSV file beside it. Load reads and checks the whole; For
// resolves what applies to one property, Sales what applies to all sales.
//
// For works on values that Load has checked, and Settings are plain data with
// pure methods, so both may be used where code must be deterministic.
package policy

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFile bounds the policy file, in bytes.
const maxFile = 1 << 20

//go:embed policy.yaml
var embedded []byte

// Policy is a policy file that has been read and found right. It never changes,
// so any number of goroutines may use it.
type Policy struct {
	version    string
	company    section
	portfolios map[string]ast.Node
	properties map[string]ast.Node
	sales      Sales
}

// BuiltIn names the policy that is part of the program. It fits the sandbox's
// seeded data and no real company.
const BuiltIn = "built-in"

// Load reads the policy file at path, and the directory that it names; BuiltIn and
// "" are the built-in one. Everything wrong with the files is reported at once, in
// one *InvalidError.
func Load(path string) (*Policy, error) {
	p, _, err := read(path)
	return p, err
}

// read says too which files it has read, also where it fails.
func read(path string) (*Policy, sight, error) {
	if path == "" || path == BuiltIn {
		p, err := parse("built-in policy", embedded)
		return p, sight{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, sight{}, fmt.Errorf("policy: %w", err)
	}
	seen := sight{policy: stampOf(info)}
	f, err := os.Open(path)
	if err != nil {
		return nil, seen, fmt.Errorf("policy: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, seen, fmt.Errorf("policy: %w", err)
	}
	l := loader{name: path, text: text, decoder: newDecoder()}
	p, err := l.policy()
	seen.path, seen.directory = l.directory, l.directorySeen
	return p, seen, err
}

// loader makes a policy of its text.
type loader struct {
	name string
	text []byte
	*decoder
	// directory is the path of the CSV file, "" where none is named, and
	// directorySeen what it looked like before it was read.
	directory     string
	directorySeen stamp
}

func parse(name string, text []byte) (*Policy, error) {
	l := loader{name: name, text: text, decoder: newDecoder()}
	return l.policy()
}

// policy checks the company's section alone and then every override on top of it.
// That is enough: no rule spans two keys that different levels may set apart, so
// levels that are each right over the company's are right together. The rules of
// repairs that do span two are help, not needed (see checker.repairs).
func (l *loader) policy() (*Policy, error) {
	root, err := syntax(l.name, l.text)
	if err != nil {
		return nil, err
	}
	p := &Policy{}
	var sales ast.Node
	for key, node := range l.mapping(root, "") {
		switch key {
		case "company":
			l.into(node, &p.company, "company")
		case "portfolios":
			p.portfolios = l.nodes(node, "portfolios")
		case "properties":
			p.properties = l.nodes(node, "properties")
		case "sales":
			sales = node
		default:
			l.fail(key, "is not a known key; known are company, portfolios, properties and sales")
		}
	}
	base := validate(p.company)
	l.failAll("company", base)
	l.overrides("portfolios", p.portfolios, p.company, base)
	l.overrides("properties", p.properties, p.company, base)
	hash := sha256.New()
	hash.Write(l.text)
	section, people := l.sales(sales, hash)
	if len(l.problems) > 0 {
		return nil, &InvalidError{File: l.name, Problems: l.problems}
	}
	p.version = hex.EncodeToString(hash.Sum(nil))[:12]
	p.sales = section.resolve(p.version, people)
	return p, nil
}

// syntax is the root of the file's one YAML document.
func syntax(name string, text []byte) (ast.Node, error) {
	fail := func(message string) error {
		return &InvalidError{File: name, Problems: []Problem{{Message: message}}}
	}
	if len(text) > maxFile {
		return nil, fail(fmt.Sprintf("is larger than %d kB", maxFile>>10))
	}
	file, err := parser.ParseBytes(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), 0)
	if err != nil {
		return nil, fail(syntaxMessage(err))
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, fail("must hold exactly one YAML document")
	}
	return file.Docs[0].Body, nil
}

// Version is a short hash of the bytes of the file and of its directory.
func (p *Policy) Version() string { return p.version }

// For is what applies to a property: the company's section, overridden by the
// portfolio's, overridden by the property's. Unknown ids have no override. The
// result shares nothing with the policy.
func (p *Policy) For(portfolioID, propertyID string) Settings {
	s := p.company
	d := newDecoder()
	if node, ok := p.portfolios[portfolioID]; ok {
		d.into(node, &s, "portfolios."+portfolioID)
	}
	if node, ok := p.properties[propertyID]; ok {
		d.into(node, &s, "properties."+propertyID)
	}
	return s.resolve(p.version)
}

// People lists everybody whom the policy names anywhere, by id and then phone: a
// person whose phone an override changes is there twice.
func (p *Policy) People() []Person {
	seen := map[Person]bool{}
	add := func(s section) {
		for id := range s.People {
			seen[s.person(id)] = true
		}
	}
	add(p.company)
	for _, overrides := range []map[string]ast.Node{p.portfolios, p.properties} {
		for _, node := range overrides {
			s := p.company
			newDecoder().into(node, &s, "")
			add(s)
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b Person) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Phone, b.Phone), cmp.Compare(a.Name, b.Name))
	})
}
