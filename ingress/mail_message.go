package ingress

import (
	"bytes"
	"encoding/base64"
	"errors"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"regexp"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
)

const (
	// maxMailText bounds what is read of a message's text, in bytes; maxMailParts its parts and
	// maxMailDepth how they are nested.
	maxMailText  = 64 << 10
	maxMailParts = 50
	maxMailDepth = 5
)

// mailMessage is what a message says, as far as a lead needs it. It holds personal data.
type mailMessage struct {
	id string
	// from and replyTo are addresses in lower case, "" where there is none.
	from, fromName       string
	replyTo, replyToName string
	subject, text        string
	// to are the addresses that it was sent to, as they are written.
	to []string
	// reply, generated and bulk tell that a machine wrote it, bounce that it came back.
	reply, generated, bulk, bounce bool
}

// readMail reads a message: its headers, and the first text of it, plain rather than HTML.
func readMail(raw []byte) (mailMessage, error) {
	read, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return mailMessage{}, errors.New("ingress: the message has no readable headers")
	}
	h := read.Header
	m := mailMessage{id: clip(h.Get("Message-Id"), 500), subject: clip(oneLine(decodedHeader(h.Get("Subject"))), 300)}
	m.from, m.fromName = firstAddress(h.Get("From"))
	m.replyTo, m.replyToName = firstAddress(h.Get("Reply-To"))
	if m.from == "" && m.replyTo == "" && len(h["To"]) == 0 {
		return mailMessage{}, errors.New("ingress: the message has neither a sender nor a receiver")
	}
	for _, name := range []string{"Delivered-To", "X-Original-To", "To", "Cc"} {
		m.to = append(m.to, h[name]...)
	}
	switch word, _, _ := strings.Cut(strings.ToLower(h.Get("Auto-Submitted")), ";"); strings.TrimSpace(word) {
	case "", "no":
	case "auto-generated":
		m.generated = true
	default:
		m.reply = true
	}
	switch strings.ToLower(strings.TrimSpace(h.Get("Precedence"))) {
	case "bulk", "junk", "list":
		m.bulk = true
	case "auto_reply":
		m.reply = true
	}
	media, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	local, _, _ := strings.Cut(m.from, "@")
	m.bounce = media == "multipart/report" || strings.TrimSpace(h.Get("Return-Path")) == "<>" || local == "mailer-daemon" || local == "postmaster"
	parts := maxMailParts
	plain, marked := textOf(textproto.MIMEHeader(h), read.Body, 0, &parts)
	if m.text = cleanNote(plain); m.text == "" {
		m.text = cleanNote(withoutMarkup(marked))
	}
	return m, nil
}

// automatic tells that nobody waits for an answer. A portal's own mail about a prospect may be
// marked as generated.
func (m mailMessage) automatic(fromPortal bool) bool {
	return m.bounce || m.reply || (m.generated || m.bulk) && !fromPortal
}

var subjectRef = regexp.MustCompile(`(?i)\bref[\s:#.]{1,3}([A-Za-z0-9_-]{1,64})\b`)

// unit is the id of the unit that it asks about, "" where it does not say: that of the
// address that it was sent to, by plus, else one that the subject names as "ref 12". What
// somebody calls "unit 4" is what the house calls it, not our id.
func (m mailMessage) unit(plus *regexp.Regexp) string {
	for _, to := range m.to {
		if found := plus.FindStringSubmatch(to); found != nil {
			return found[1]
		}
	}
	if found := subjectRef.FindStringSubmatch(m.subject); found != nil {
		return found[1]
	}
	return ""
}

// mailContact is somebody who can be answered.
type mailContact struct{ address, name string }

// contact is who is to be answered: by Reply-To, which may be a portal's relay, else by From,
// which is a prospect's own unless it is a portal's. Empty where only the text can tell.
func (m mailMessage) contact(portal func(address string) bool) mailContact {
	if m.replyTo != "" && !nobodyReads(m.replyTo) {
		return mailContact{m.replyTo, m.replyToName}
	}
	if m.from != "" && !nobodyReads(m.from) && !portal(m.from) {
		return mailContact{m.from, m.fromName}
	}
	return mailContact{}
}

// nobodyReads tells of addresses such as "no-reply@example.com".
func nobodyReads(address string) bool {
	local, _, _ := strings.Cut(strings.ToLower(address), "@")
	local = strings.NewReplacer("-", "", "_", "", ".", "").Replace(local)
	for _, machine := range []string{"noreply", "donotreply", "notification", "alert", "mailerdaemon", "postmaster", "bounce"} {
		if strings.HasPrefix(local, machine) {
			return true
		}
	}
	return false
}

var (
	writtenAddress = regexp.MustCompile(`[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}`)
	writtenPhone   = regexp.MustCompile(`\+?\(?[0-9][0-9().\t -]{7,20}[0-9]`)
	writtenName    = regexp.MustCompile(`(?im)^[ \t>*]*(?:full[ \t]+)?name[ \t]*:[ \t]*(.{1,100})$`)
)

// addressInText is the first address in the text that is a person's, "" for none.
func (m mailMessage) addressInText(notHis func(address string) bool) string {
	for _, written := range writtenAddress.FindAllString(m.text, 50) {
		if address := plainAddress(written); address != "" && !nobodyReads(address) && !notHis(address) {
			return address
		}
	}
	return ""
}

// phonesInText are what may be phone numbers, in order.
func (m mailMessage) phonesInText() []string { return writtenPhone.FindAllString(m.text, 20) }

// nameInText is what stands after "Name:", "" for nothing.
func (m mailMessage) nameInText() string {
	found := writtenName.FindStringSubmatch(m.text)
	if found == nil {
		return ""
	}
	return oneLine(found[1])
}

func domainOf(address string) string {
	_, domain, _ := strings.Cut(address, "@")
	return strings.ToLower(strings.Trim(domain, " ."))
}

func firstAddress(header string) (address, name string) {
	parser := netmail.AddressParser{WordDecoder: wordDecoder()}
	list, err := parser.ParseList(header)
	if err != nil || len(list) == 0 {
		return plainAddress(writtenAddress.FindString(header)), ""
	}
	return plainAddress(list[0].Address), oneLine(decodedHeader(list[0].Name)) // some quote what is encoded
}

func wordDecoder() *mime.WordDecoder {
	return &mime.WordDecoder{CharsetReader: charsetReader}
}

func decodedHeader(text string) string {
	decoded, err := wordDecoder().DecodeHeader(text)
	if err != nil {
		return text
	}
	return decoded
}

// charsetReader reads text of a charset as UTF-8.
func charsetReader(charset string, r io.Reader) (io.Reader, error) {
	e, err := htmlindex.Get(charset)
	if err != nil {
		return r, nil //nolint:nilerr // what cannot be read in it is dropped later
	}
	return e.NewDecoder().Reader(r), nil
}

// textOf is the first plain and the first HTML text of a body, each bounded. What is
// broken ends it; what was read before counts.
func textOf(h textproto.MIMEHeader, body io.Reader, depth int, parts *int) (plain, marked string) {
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		media = "text/plain"
	}
	if disposition, _, _ := mime.ParseMediaType(h.Get("Content-Disposition")); disposition == "attachment" {
		return "", ""
	}
	switch {
	case strings.HasPrefix(media, "multipart/") && depth < maxMailDepth:
		reader := multipart.NewReader(body, params["boundary"])
		for ; *parts > 0 && plain == ""; *parts-- {
			part, err := reader.NextRawPart()
			if err != nil {
				break
			}
			p, m := textOf(part.Header, part, depth+1, parts)
			plain = p
			if marked == "" {
				marked = m
			}
		}
	case media == "text/plain":
		plain = decodedBody(h, params["charset"], body)
	case media == "text/html":
		marked = decodedBody(h, params["charset"], body)
	}
	return plain, marked
}

func decodedBody(h textproto.MIMEHeader, charset string, body io.Reader) string {
	switch strings.ToLower(strings.TrimSpace(h.Get("Content-Transfer-Encoding"))) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	if charset != "" {
		body, _ = charsetReader(charset, body) // it never fails
	}
	text, _ := io.ReadAll(io.LimitReader(body, maxMailText)) // what came before an error counts
	return strings.ToValidUTF8(string(text), "")
}

var (
	unseenMarkup = regexp.MustCompile(`(?is)<!--.*?-->|<head\b.*?</head>|<style\b.*?</style>|<script\b.*?</script>`)
	lineMarkup   = regexp.MustCompile(`(?i)<(?:br|/p|/div|/tr|/li|/h[1-6])\b[^>]*>`)
	anyMarkup    = regexp.MustCompile(`<[^>]*>`)
	blankRun     = regexp.MustCompile(`[ \t]+`)
	emptyLines   = regexp.MustCompile(`\n\s*\n+`)
)

// withoutMarkup is the text of HTML, by lines.
func withoutMarkup(marked string) string {
	text := strings.NewReplacer("\r", " ", "\n", " ").Replace(unseenMarkup.ReplaceAllString(marked, " "))
	text = anyMarkup.ReplaceAllString(lineMarkup.ReplaceAllString(text, "\n"), " ")
	text = blankRun.ReplaceAllString(html.UnescapeString(text), " ")
	return emptyLines.ReplaceAllString(strings.ReplaceAll(text, "\u00a0", " "), "\n")
}
