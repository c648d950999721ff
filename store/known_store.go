package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	// mostKnown bounds a list of known records.
	mostKnown = 10_000
	// knowTries bounds how often fields are changed again where others change the same
	// record meanwhile.
	knowTries = 20
)

// knownFormat is the version of what is hashed: another one makes all hashes incomparable
// with those that were kept before.
const knownFormat = "1"

// KnownMark is how all hashes of these keys begin: hashes that begin otherwise cannot be
// compared with them.
func (k Keys) KnownMark() string {
	return "#" + k.mac("known mark", 15)[:4] + "v" + knownFormat + ":"
}

// KnownValue is the keyed hash by which a value that may be personal is known, "" for "".
// It begins with the KnownMark, and is another one for each record and field.
func (k Keys) KnownValue(record, field, value string) string {
	if value == "" {
		return ""
	}
	return k.KnownMark() + k.mac("known value", 15, record, field, value)
}

// Know keeps records as they were read.
func (d *database) Know(ctx context.Context, records ...KnownRecord) error {
	// In one order, so that two who keep the same ones do not wait for each other.
	records = slices.SortedFunc(slices.Values(records), func(x, y KnownRecord) int { return cmp.Compare(x.Record, y.Record) })
	var older []KnownRecord
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		for _, k := range records {
			fields, err := knownFields(k)
			if err != nil {
				return err
			}
			kind, _, _ := strings.Cut(k.Record, "/")
			result, err := tx.ExecContext(ctx, `
				INSERT INTO known_records (record, kind, fields, known_at, written, listed, moves, left_out) VALUES ($1, $2, $3, $4, '', $5, 0, 0)
				ON CONFLICT (record) DO UPDATE SET fields = excluded.fields, known_at = excluded.known_at, left_out = 0,
					listed = CASE WHEN excluded.listed = '' AND known_records.fields = excluded.fields THEN known_records.listed ELSE excluded.listed END
				WHERE known_records.known_at <= excluded.known_at AND known_records.written = ''`,
				k.Record, kind, fields, micros(k.At), k.Listed)
			if err != nil {
				return err
			}
			if n, err := result.RowsAffected(); err != nil {
				return err
			} else if n == 0 {
				older = append(older, k)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: know records: %w", err)
	}
	for _, k := range older {
		if err := d.changeKnown(ctx, k.Record, k.readOver); err != nil {
			return err
		}
	}
	return nil
}

// readOver is what is known where a record was read over what was known before: fields that
// were written after the reading began keep their values.
func (k KnownRecord) readOver(before knownRow) (after knownRow, changed bool) {
	if before.readAt.After(k.At) {
		return before, false
	}
	after = knownRow{fields: maps.Clone(k.Fields), readAt: k.At, written: map[string]int64{}, listed: k.Listed}
	if after.fields == nil {
		after.fields = map[string]string{}
	}
	for name, at := range before.written {
		if at > micros(k.At) {
			after.fields[name], after.written[name] = before.fields[name], at
		}
	}
	if k.Listed == "" && maps.Equal(before.fields, after.fields) {
		after.listed = before.listed
	}
	return after, true
}

// KnowFields changes the fields named alone.
func (d *database) KnowFields(ctx context.Context, k KnownRecord) error {
	if _, err := knownFields(k); err != nil {
		return fmt.Errorf("store: know fields: %w", err)
	}
	return d.changeKnown(ctx, k.Record, k.writtenOver)
}

// writtenOver is what is known where fields were written over what was known before, unless
// the record was read, or the same field written, since.
func (k KnownRecord) writtenOver(before knownRow) (after knownRow, changed bool) {
	after = before
	after.fields, after.written = maps.Clone(before.fields), maps.Clone(before.written)
	if before.readAt.After(k.At) {
		return before, false
	}
	for name, value := range k.Fields {
		if before.written[name] > micros(k.At) {
			continue
		}
		if after.fields[name] != value {
			after.listed = "" // what is listed may be what it was before
		}
		after.fields[name], after.written[name], changed = value, micros(k.At), true
	}
	return after, changed
}

// knownRow is what of a known record is changed field by field.
type knownRow struct {
	fields  map[string]string
	readAt  time.Time
	written map[string]int64
	listed  string
}

func (r knownRow) texts() (fields, written string, err error) {
	text, err := json.Marshal(r.fields)
	if err != nil || len(r.written) == 0 {
		return string(text), "", err
	}
	times, err := json.Marshal(r.written)
	return string(text), string(times), err
}

// changeKnown changes a record that is known, and does nothing where it is not. Several
// processes may do so at once: each changes what it has read, and reads again where another
// was first.
func (d *database) changeKnown(ctx context.Context, record string, change func(knownRow) (knownRow, bool)) error {
	for range knowTries {
		var row knownRow
		var fields, written string
		var at int64
		err := d.read.QueryRowContext(ctx, `SELECT fields, written, known_at, listed FROM known_records WHERE record = $1`, record).
			Scan(&fields, &written, &at, &row.listed)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("store: read a known record: %w", err)
		}
		row.readAt, row.written = fromMicros(at), map[string]int64{}
		if err := errors.Join(json.Unmarshal([]byte(fields), &row.fields), unmarshalTimes(written, &row.written)); err != nil {
			return fmt.Errorf("store: read the fields of %s: %w", record, err)
		}
		row, changed := change(row)
		if !changed {
			return nil
		}
		newFields, newWritten, err := row.texts()
		if err != nil {
			return fmt.Errorf("store: change a known record: %w", err)
		}
		n, err := d.change(ctx, `
			UPDATE known_records SET fields = $5, written = $6, known_at = $7, listed = $8, left_out = 0
			WHERE record = $1 AND fields = $2 AND written = $3 AND known_at = $4`,
			record, fields, written, at, newFields, newWritten, micros(row.readAt), row.listed)
		if err != nil {
			return fmt.Errorf("store: change a known record: %w", err)
		}
		if n > 0 {
			return nil
		}
	}
	return fmt.Errorf("store: %s is changed by others all the time", record)
}

func unmarshalTimes(text string, to *map[string]int64) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), to)
}

// ListedAs keeps the mark of what a list shows of a record.
func (d *database) ListedAs(ctx context.Context, record, mark string, told bool) error {
	move := 0
	if told {
		move = 1
	}
	_, err := d.change(ctx, `UPDATE known_records SET listed = $2, moves = moves + $3 WHERE record = $1`, record, mark, move)
	if err != nil {
		return fmt.Errorf("store: note what is listed: %w", err)
	}
	return nil
}

// LeaveOut leaves a record out of lists, unless it is known otherwise meanwhile.
func (d *database) LeaveOut(ctx context.Context, k KnownRecord) error {
	fields, err := knownFields(k)
	if err == nil {
		_, err = d.change(ctx, `UPDATE known_records SET left_out = 1 WHERE record = $1 AND fields = $2`, k.Record, fields)
	}
	if err != nil {
		return fmt.Errorf("store: leave a known record out: %w", err)
	}
	return nil
}

// knownFields are the fields as they are kept. Keys of an object are sorted, so that the
// same fields are the same text.
func knownFields(k KnownRecord) (string, error) {
	if k.Record == "" || k.At.IsZero() {
		return "", errors.New("want a record and when it was read or written")
	}
	fields := k.Fields
	if fields == nil {
		fields = map[string]string{}
	}
	text, err := json.Marshal(fields)
	return string(text), err
}

const knownColumns = `record, fields, known_at, written, listed, moves, left_out`

// KnownRecord returns one, or ErrNotFound.
func (d *database) KnownRecord(ctx context.Context, record string) (KnownRecord, error) {
	row := d.read.QueryRowContext(ctx, `SELECT `+knownColumns+` FROM known_records WHERE record = $1`, record)
	k, err := scanKnown(row.Scan)
	if err != nil {
		return KnownRecord{}, err
	}
	return k, nil
}

// KnownOf returns those of these names that are known, so many at once.
func (d *database) KnownOf(ctx context.Context, records []string) (map[string]KnownRecord, error) {
	known := map[string]KnownRecord{}
	for names := range slices.Chunk(records, 500) {
		args := make([]any, len(names))
		for i, name := range names {
			args[i] = name
		}
		list, err := d.listKnown(ctx, `SELECT `+knownColumns+` FROM known_records WHERE record IN `+places(1, len(names)), args...)
		if err != nil {
			return nil, err
		}
		for _, k := range list {
			known[k.Record] = k
		}
	}
	return known, nil
}

// KnownRecords lists those of a kind, in the order of their names.
func (d *database) KnownRecords(ctx context.Context, kind, after string, most int) ([]KnownRecord, error) {
	if most <= 0 || most > mostKnown {
		most = mostKnown
	}
	return d.listKnown(ctx, `SELECT `+knownColumns+` FROM known_records
		WHERE kind = $1 AND left_out = 0 AND record > $2 ORDER BY record LIMIT $3`, kind, after, most)
}

func (d *database) listKnown(ctx context.Context, query string, args ...any) ([]KnownRecord, error) {
	rows, err := d.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("store: list known records: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []KnownRecord
	for rows.Next() {
		k, err := scanKnown(rows.Scan)
		if err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	return list, orNotFound(rows.Err())
}

func scanKnown(scan func(...any) error) (KnownRecord, error) {
	var k KnownRecord
	var fields, written string
	var at, leftOut int64
	if err := scan(&k.Record, &fields, &at, &written, &k.Listed, &k.Moves, &leftOut); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return k, ErrNotFound
		}
		return k, fmt.Errorf("store: read a known record: %w", err)
	}
	var times map[string]int64
	if err := errors.Join(json.Unmarshal([]byte(fields), &k.Fields), unmarshalTimes(written, &times)); err != nil {
		return k, fmt.Errorf("store: read the fields of %s: %w", k.Record, err)
	}
	k.At, k.LeftOut = fromMicros(at), leftOut != 0
	for name, us := range times {
		if k.Written == nil {
			k.Written = map[string]time.Time{}
		}
		k.Written[name] = fromMicros(us)
	}
	return k, nil
}
