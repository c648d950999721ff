package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

var byteOrderMark = []byte("\xef\xbb\xbf")

// decodeUTF8 returns the text without its byte order mark, or says where and why it
// is not UTF-8; advice says what to do then.
func decodeUTF8(body []byte, advice string) ([]byte, *FileError) {
	nul := bytes.IndexByte(body, 0)
	switch {
	case bytes.HasPrefix(body, []byte{0xff, 0xfe}), bytes.HasPrefix(body, []byte{0xfe, 0xff}),
		nul >= 0 && bytes.Count(body, []byte{0}) >= len(body)/4:
		return nil, &FileError{Line: 1, Detail: "This is UTF-16. " + advice}
	case nul >= 0:
		return nil, &FileError{Line: lineAt(body, nul), Detail: "There is a NUL byte: this is a workbook, an archive or damaged text. " + advice}
	}
	if !utf8.Valid(body) {
		return nil, &FileError{Line: lineAt(body, invalidAt(body)), Detail: "This is not UTF-8; an older Windows encoding, perhaps. " + advice}
	}
	return bytes.TrimPrefix(body, byteOrderMark), nil
}

// invalidAt is the place of the first byte that is not UTF-8.
func invalidAt(body []byte) int {
	at := 0
	for at < len(body) {
		r, size := utf8.DecodeRune(body[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}

// lineAt is the line of a place, from 1.
func lineAt(body []byte, at int) int {
	at = min(at, len(body))
	return 1 + lineEnds(body[:at])
}

// lineEnds counts LF, CR LF and CR, as editors do.
func lineEnds(text []byte) int {
	return bytes.Count(text, []byte{'\n'}) + bytes.Count(text, []byte{'\r'}) - bytes.Count(text, []byte("\r\n"))
}

// openJSON checks that the body is one JSON value in UTF-8 and no more (which bounds
// its depth as well), and returns a reader of its tokens.
func openJSON(body []byte) (*json.Decoder, *FileError) {
	text, bad := decodeUTF8(body, "Send JSON in UTF-8.")
	if bad != nil {
		return nil, bad
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, &FileError{Detail: "Send JSON: there is nothing."}
	}
	if !json.Valid(text) {
		return nil, notJSON(text)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // a number that no float can hold is still a number
	return d, nil
}

// notJSON says where the text stops being JSON.
func notJSON(text []byte) *FileError {
	var first json.RawMessage
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&first); err == nil {
		end := int(d.InputOffset())
		end += len(text[end:]) - len(bytes.TrimLeft(text[end:], " \t\r\n"))
		return &FileError{Line: lineAt(text, end), Detail: "Send one JSON value and nothing after it."}
	}
	var syntax *json.SyntaxError
	if err := json.Unmarshal(text, &first); errors.As(err, &syntax) {
		return &FileError{Line: lineAt(text, int(syntax.Offset)-1), Detail: "Send valid JSON: it is broken or cut here."}
	}
	return &FileError{Detail: "Send valid JSON."}
}
