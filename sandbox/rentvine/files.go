package rentvine

import (
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// maxUpload is the longest upload in bytes.
const maxUpload = 25 << 20

// attachmentBase keeps attachment ids apart from file ids.
const attachmentBase = 9000

// upload takes a multipart body with the part "file" (contracts/rentvine.md 2.11).
func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	part, data, err := filePart(r)
	problems := map[string][]string{}
	if err != nil {
		problems["file"] = []string{"File is Required"}
	}
	for _, f := range []string{"objectTypeID", "objectID"} {
		if number(q.Get(f)) == 0 {
			problems[f] = []string{"Value is Required"}
		}
	}
	if len(problems) > 0 {
		refuse(w, problems)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, name := s.tables["files"], path.Base(part.FileName())
	for id, c := range s.content {
		if c.objectTypeID == q.Get("objectTypeID") && c.objectID == q.Get("objectID") && t.rows[id]["fileName"] == name {
			s.duplicates++
			break
		}
	}
	id := t.add(record{
		"fileName": name, "title": strings.TrimSuffix(name, path.Ext(name)), "fileSize": strconv.Itoa(len(data)),
		"fileType": part.Header.Get("Content-Type"), "dateTimeCreated": s.now(),
	})
	s.content[id] = content{part.Header.Get("Content-Type"), data, q.Get("objectTypeID"), q.Get("objectID")}
	maps.DeleteFunc(s.content, func(id int, _ content) bool { return t.rows[id] == nil })
	if s.cfg.FileReply == FileReplyLive {
		reply(w, record{"fileAttachment": record{"fileID": strconv.Itoa(id)}})
		return
	}
	reply(w, record{"file": maps.Clone(t.rows[id]), "attachment": s.attachment(id)})
}

func filePart(r *http.Request) (*multipart.Part, []byte, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return nil, nil, err
	}
	for {
		part, err := form.NextPart()
		if err != nil {
			return nil, nil, err
		}
		if part.FormName() == "file" {
			data, err := io.ReadAll(part)
			return part, data, err
		}
	}
}

func (d *db) attachment(id int) record {
	c := d.content[id]
	return record{
		"fileAttachmentID": strconv.Itoa(attachmentBase + id), "fileID": strconv.Itoa(id),
		"objectTypeID": c.objectTypeID, "objectID": c.objectID,
	}
}

// files lists all files: the filters by object are ignored, as seen live.
func (s *Server) files(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables["files"]
	rows := []record{}
	for _, id := range s.page(r, 25, t.ids()) {
		row := t.wrap(t.rows[id])
		if r.URL.Query().Get("includes") == "attachment" {
			row["attachment"] = s.attachment(id)
		}
		rows = append(rows, row)
	}
	reply(w, rows)
}

func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	_, c, ok := s.file(r.PathValue("id"))
	if !ok {
		s.unknown(w)
		return
	}
	w.Header().Set("Content-Type", c.contentType)
	_, _ = w.Write(c.data)
}

func (s *Server) deleteFile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := number(r.PathValue("id"))
	if s.tables["files"].rows[id] == nil {
		s.unknown(w)
		return
	}
	s.tables["files"].remove(id)
	delete(s.content, id)
	reply(w, record{})
}

// File is an uploaded file's name and bytes, which the caller must not change.
func (s *Server) File(id string) (name string, data []byte, ok bool) {
	name, c, ok := s.file(id)
	return name, c.data, ok
}

func (s *Server) file(id string) (string, content, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.tables["files"].get(id)
	return str(f["fileName"]), s.content[number(id)], f != nil
}
