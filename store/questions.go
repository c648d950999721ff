package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
)

const (
	// codeLife is how long a code stays reserved for its question at least, and
	// how far LastQuestions looks back.
	codeLife = 7 * 24 * time.Hour
	// listMax bounds the lists of questions.
	listMax = 20
	// titleMax bounds a title, in characters.
	titleMax = 200
)

const questionColumns = `id, code, address, workflow_id, step, person, purpose, title, options, asked_at, expires_at, closed_at, answer, details, fields, photos`

// questionRead adds what others note later.
const questionRead = questionColumns + `, opened_at`

// Ask records an open question, or returns the one already recorded.
func (d *database) Ask(ctx context.Context, q Question) (Question, error) {
	for _, o := range q.Options {
		if looksLikeCode(o.Key) {
			return Question{}, fmt.Errorf("store: ask: the option key %q could be mistaken for a code", o.Key)
		}
	}
	if err := validFields(q.Fields); err != nil {
		return Question{}, err
	}
	if q.AskedAt.IsZero() {
		q.AskedAt = time.Now()
	}
	q.AskedAt, q.ExpiresAt = fromMicros(micros(q.AskedAt)), fromMicros(micros(q.ExpiresAt))
	q.ClosedAt, q.OpenedAt, q.Answer, q.Title = time.Time{}, time.Time{}, "", oneLine(q.Title)

	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return Question{}, fmt.Errorf("store: ask: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing to undo after Commit
	if q, err = ask(ctx, tx, q); err != nil {
		return Question{}, fmt.Errorf("store: ask: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return Question{}, fmt.Errorf("store: ask: %w", err)
	}
	return q, nil
}

func ask(ctx context.Context, tx *sql.Tx, q Question) (Question, error) {
	options, err := json.Marshal(q.Options)
	if err != nil {
		return Question{}, err
	}
	details, err := json.Marshal(q.Details)
	if err != nil {
		return Question{}, err
	}
	fields, err := json.Marshal(q.Fields)
	if err != nil {
		return Question{}, err
	}
	photos, err := json.Marshal(q.Photos)
	if err != nil {
		return Question{}, err
	}
	taken, err := lockCodes(ctx, tx, q.Address)
	if err != nil {
		return Question{}, err
	}
	q.Code = newCode(q.ID, taken)
	result, err := tx.ExecContext(ctx, `
		INSERT INTO questions (`+questionColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, '', $12, $13, $14)
		ON CONFLICT (id) DO NOTHING`,
		q.ID, q.Code, q.Address, q.WorkflowID, q.Step, q.Person, string(q.Purpose), q.Title, string(options),
		micros(q.AskedAt), micros(q.ExpiresAt), string(details), string(fields), string(photos))
	if err != nil {
		return Question{}, err
	}
	inserted, err := result.RowsAffected()
	if err != nil || inserted == 1 {
		return q, err
	}
	return scanQuestion(tx.QueryRowContext(ctx, `SELECT `+questionRead+` FROM questions WHERE id = $1`, q.ID))
}

var fieldName = regexp.MustCompile(`^[a-z][a-z_]{0,31}$`)

// validFields refuses fields that a form cannot carry: their names stand beside that
// of the choice.
func validFields(fields []Field) error {
	seen := map[string]bool{"choice": true}
	for _, f := range fields {
		if !fieldName.MatchString(f.Name) || seen[f.Name] {
			return fmt.Errorf("store: ask: the field name %q must be of small letters and _, not used twice and not choice", f.Name)
		}
		seen[f.Name] = true
	}
	return nil
}

// lockCodes returns the codes that the address may still use: of the last days
// and of questions still open. The write to the address's row makes other
// transactions that ask the same address wait for this one.
func lockCodes(ctx context.Context, tx *sql.Tx, address string) (map[string]bool, error) {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO addresses (address) VALUES ($1)
		ON CONFLICT (address) DO UPDATE SET address = excluded.address`, address)
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `
		SELECT code FROM questions WHERE address = $1 AND (asked_at > $2 OR closed_at = 0)
		ORDER BY asked_at DESC LIMIT $3`, address, micros(time.Now().Add(-codeLife)), codesPerAddress)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	taken := map[string]bool{}
	for rows.Next() {
		var code string
		if err := rows.Scan(&code); err != nil {
			return nil, err
		}
		taken[code] = true
	}
	return taken, rows.Err()
}

// oneLine is the text with everything but printable characters and plain spaces
// taken out, cut to titleMax.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, " ")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if r := []rune(s); len(r) > titleMax {
		s = string(r[:titleMax])
	}
	return s
}

func scanQuestion(row interface{ Scan(...any) error }) (Question, error) {
	var q Question
	var purpose, options, details, fields, photos string
	var asked, expires, closed, opened int64
	err := row.Scan(&q.ID, &q.Code, &q.Address, &q.WorkflowID, &q.Step, &q.Person, &purpose, &q.Title, &options,
		&asked, &expires, &closed, &q.Answer, &details, &fields, &photos, &opened)
	if err != nil {
		return Question{}, orNotFound(err)
	}
	q.Purpose = Purpose(purpose)
	q.AskedAt, q.ExpiresAt, q.ClosedAt, q.OpenedAt = fromMicros(asked), fromMicros(expires), fromMicros(closed), fromMicros(opened)
	// Questions of earlier builds have no form.
	if json.Unmarshal([]byte(options), &q.Options) != nil || details != "" && json.Unmarshal([]byte(details), &q.Details) != nil ||
		fields != "" && json.Unmarshal([]byte(fields), &q.Fields) != nil ||
		photos != "" && json.Unmarshal([]byte(photos), &q.Photos) != nil {
		return Question{}, errors.New("store: a question cannot be read")
	}
	return q, nil
}

// Question returns one by ID, or ErrNotFound.
func (d *database) Question(ctx context.Context, id string) (Question, error) {
	return scanQuestion(d.read.QueryRowContext(ctx, `SELECT `+questionRead+` FROM questions WHERE id = $1`, id))
}

// OpenQuestions lists those that an address may answer, oldest first.
func (d *database) OpenQuestions(ctx context.Context, address string, now time.Time) ([]Question, error) {
	return d.questions(ctx, `
		WHERE address = $1 AND closed_at = 0 AND (expires_at = 0 OR expires_at > $2)
		ORDER BY asked_at, id LIMIT $3`, address, micros(now), listMax)
}

// LastQuestions lists the latest questions of an address, newest first.
func (d *database) LastQuestions(ctx context.Context, address string) ([]Question, error) {
	return d.questions(ctx, `
		WHERE address = $1 AND asked_at > $2
		ORDER BY asked_at DESC, id LIMIT $3`, address, micros(time.Now().Add(-codeLife)), listMax)
}

func (d *database) questions(ctx context.Context, where string, args ...any) ([]Question, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT `+questionRead+` FROM questions `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("store: list questions: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []Question
	for rows.Next() {
		q, err := scanQuestion(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, q)
	}
	return list, orNotFound(rows.Err())
}

// RecordAnswer keeps the first answer and returns the one kept.
func (d *database) RecordAnswer(ctx context.Context, id, choice string) (string, error) {
	kept, err := d.changeReturning(ctx, `
		UPDATE questions SET answer = CASE WHEN answer = '' THEN $2 ELSE answer END,
			answered_at = CASE WHEN answer = '' THEN $3 ELSE answered_at END
		WHERE id = $1 RETURNING answer`, id, choice, micros(time.Now()))
	if err != nil {
		return "", fmt.Errorf("store: record answer: %w", err)
	}
	return kept, nil
}

// CloseQuestions closes the open questions of a workflow under a step prefix.
func (d *database) CloseQuestions(ctx context.Context, workflowID, stepPrefix string, except ...string) error {
	// Not LIKE: it ignores case on SQLite alone and needs escapes.
	query := `UPDATE questions SET closed_at = $1
		WHERE workflow_id = $2 AND closed_at = 0 AND substr(step, 1, $3) = $4`
	args := []any{micros(time.Now()), workflowID, len([]rune(stepPrefix)), stepPrefix}
	for _, step := range except {
		args = append(args, step)
		query += fmt.Sprintf(" AND step <> $%d", len(args))
	}
	if _, err := d.change(ctx, query, args...); err != nil {
		return fmt.Errorf("store: close questions: %w", err)
	}
	return nil
}
