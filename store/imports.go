package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// RowState is what became of an import's row.
type RowState string

// The states of rows.
const (
	RowWaiting RowState = "waiting"
	// RowCreated and RowExisting have a property; it was there before for RowExisting.
	RowCreated  RowState = "created"
	RowExisting RowState = "existing"
	// RowInvalid failed validation, RowDuplicate repeats an earlier row, RowRefused
	// was refused by the partner for good, RowCancelled was given up.
	RowInvalid   RowState = "invalid"
	RowDuplicate RowState = "duplicate"
	RowRefused   RowState = "refused"
	RowCancelled RowState = "cancelled"
)

// ended tells whether a row of this state is over.
func (s RowState) ended() bool {
	switch s {
	case RowCreated, RowExisting, RowInvalid, RowDuplicate, RowRefused, RowCancelled:
		return true
	case RowWaiting:
	}
	return false
}

// RowProblem says what is wrong with a row, without values of it.
type RowProblem struct {
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

// ImportRow is one row of an import.
type ImportRow struct {
	// Number is the row's place as people count it: that of the line in a CSV file
	// (the header is 1), the element of a JSON array from 1.
	Number int
	// Key is the sale's request id, "" for an invalid row.
	Key string
	// Payload is the sale as JSON. It is personal data: finishing a row removes it.
	Payload []byte
	State   RowState
	// PropertyID and TransactionID are set once the property exists.
	PropertyID    string
	TransactionID string
	Problems      []RowProblem
	// Tries is how often the row was deferred.
	Tries int
}

// Import is one imported file.
type Import struct {
	ID        string
	CreatedAt time.Time // real time
	// FinishedAt is zero while rows wait.
	FinishedAt time.Time
	// Counts are rows by state.
	Counts map[RowState]int
}

// Imports holds the rows of bulk imports and what became of each.
type Imports interface {
	// CreateImport keeps all rows or none. An import of the same id that is there
	// already is left as it is, and created is false. Payloads are kept of rows that
	// wait only. A row without a state, or the number of another, is an error.
	CreateImport(ctx context.Context, id string, rows []ImportRow) (created bool, err error)
	// Import returns an import with its counts, or ErrNotFound.
	Import(ctx context.Context, id string) (Import, error)
	// WaitingRows lists rows that wait and are not deferred, lowest number first,
	// after a number.
	WaitingRows(ctx context.Context, id string, after, limit int) ([]ImportRow, error)
	// DeferRow leaves a row that failed alone for a while (real time) and counts that.
	DeferRow(ctx context.Context, id string, number int, by time.Duration) error
	// FinishRow keeps a row's outcome (State, ids, Problems) and removes its payload.
	// A row that has an outcome keeps it, but for a cancelled one that was created
	// after all. RowWaiting is no outcome but an error.
	FinishRow(ctx context.Context, id string, row ImportRow) error
	// FinishImport gives up rows that still wait (RowCancelled) and notes the end.
	// The end noted first stays.
	FinishImport(ctx context.Context, id string) error
	// Rows lists rows of any state without payloads, lowest number first, after a
	// number.
	Rows(ctx context.Context, id string, after, limit int) ([]ImportRow, error)
}

// rowsAtOnce is how many rows one statement inserts. SQLite's driver looks each
// parameter up by going through all of them, so that more at once is slower.
const rowsAtOnce = 10

// CreateImport keeps all rows or none.
func (d *database) CreateImport(ctx context.Context, id string, rows []ImportRow) (bool, error) {
	for _, row := range rows {
		if row.State != RowWaiting && !row.State.ended() {
			return false, fmt.Errorf("store: create import: row %d has no known state", row.Number)
		}
	}
	created := false
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		// Of several at once the others wait here for the first one's end.
		result, err := tx.ExecContext(ctx, `
			INSERT INTO imports (id, created_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, id, micros(time.Now()))
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		created = true
		return insertRows(ctx, tx, id, rows)
	})
	if err != nil {
		return false, fmt.Errorf("store: create import: %w", err)
	}
	return created, nil
}

func insertRows(ctx context.Context, tx *sql.Tx, id string, rows []ImportRow) error {
	const columns = 8
	for part := range slices.Chunk(rows, rowsAtOnce) {
		args := make([]any, 0, columns*len(part))
		for _, row := range part {
			problems, err := problemsText(row.Problems)
			if err != nil {
				return err
			}
			payload := ""
			if row.State == RowWaiting {
				payload = string(row.Payload)
			}
			args = append(args, id, row.Number, row.Key, payload, string(row.State), row.PropertyID, row.TransactionID, problems)
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO import_rows (import_id, number, sale_key, payload, state, property_id, transaction_id, problems)
			VALUES `+places(len(part), columns), args...)
		if err != nil {
			return err
		}
	}
	return nil
}

func problemsText(problems []RowProblem) (string, error) {
	if len(problems) == 0 {
		return "", nil
	}
	text, err := json.Marshal(problems)
	return string(text), err
}

// Import returns an import with its counts, or ErrNotFound.
func (d *database) Import(ctx context.Context, id string) (Import, error) {
	var created, finished int64
	err := d.read.QueryRowContext(ctx, `SELECT created_at, finished_at FROM imports WHERE id = $1`, id).Scan(&created, &finished)
	if err != nil {
		return Import{}, orNotFound(err)
	}
	counts, err := d.counts(ctx, `SELECT state, count(*) FROM import_rows WHERE import_id = $1 GROUP BY state`, id)
	if err != nil {
		return Import{}, err
	}
	i := Import{ID: id, CreatedAt: fromMicros(created), FinishedAt: fromMicros(finished), Counts: map[RowState]int{}}
	for state, n := range counts {
		i.Counts[RowState(state)] = n
	}
	return i, nil
}

// WaitingRows lists rows that wait and are not deferred, lowest number first,
// after a number.
func (d *database) WaitingRows(ctx context.Context, id string, after, limit int) ([]ImportRow, error) {
	return d.importRows(ctx, `payload`, `AND state = 'waiting' AND not_before <= `+d.clock, id, after, limit)
}

// DeferRow leaves a row that failed alone for a while.
func (d *database) DeferRow(ctx context.Context, id string, number int, by time.Duration) error {
	_, err := d.change(ctx, `
		UPDATE import_rows SET tries = tries + 1, not_before = `+d.clock+` + $1
		WHERE import_id = $2 AND number = $3 AND state = 'waiting'`, by.Microseconds(), id, number)
	if err != nil {
		return fmt.Errorf("store: defer row: %w", err)
	}
	return nil
}

// Rows lists rows of any state without payloads, lowest number first, after a
// number.
func (d *database) Rows(ctx context.Context, id string, after, limit int) ([]ImportRow, error) {
	return d.importRows(ctx, `''`, ``, id, after, limit)
}

func (d *database) importRows(ctx context.Context, payload, where, id string, after, limit int) ([]ImportRow, error) {
	rows, err := d.read.QueryContext(ctx, `
		SELECT number, sale_key, `+payload+`, state, property_id, transaction_id, problems, tries
		FROM import_rows WHERE import_id = $1 AND number > $2 `+where+`
		ORDER BY number LIMIT $3`, id, after, max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("store: list rows: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var list []ImportRow
	for rows.Next() {
		row, err := scanRow(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, row)
	}
	return list, orNotFound(rows.Err())
}

func scanRow(rows *sql.Rows) (ImportRow, error) {
	var row ImportRow
	var payload, state, problems string
	err := rows.Scan(&row.Number, &row.Key, &payload, &state, &row.PropertyID, &row.TransactionID, &problems, &row.Tries)
	if err != nil {
		return ImportRow{}, fmt.Errorf("store: list rows: %w", err)
	}
	row.State = RowState(state)
	if payload != "" {
		row.Payload = []byte(payload)
	}
	if problems != "" {
		if err := json.Unmarshal([]byte(problems), &row.Problems); err != nil {
			return ImportRow{}, errors.New("store: the problems of a row cannot be read")
		}
	}
	return row, nil
}

// FinishRow keeps a row's outcome and removes its payload.
func (d *database) FinishRow(ctx context.Context, id string, row ImportRow) error {
	if !row.State.ended() {
		return fmt.Errorf("store: finish row %d: %q is no outcome", row.Number, row.State)
	}
	problems, err := problemsText(row.Problems)
	if err != nil {
		return fmt.Errorf("store: finish row: %w", err)
	}
	_, err = d.change(ctx, `
		UPDATE import_rows SET state = $1, property_id = $2, transaction_id = $3, problems = $4, payload = ''
		WHERE import_id = $5 AND number = $6 AND (state = 'waiting' OR (state = 'cancelled' AND $2 <> ''))`,
		string(row.State), row.PropertyID, row.TransactionID, problems, id, row.Number)
	if err != nil {
		return fmt.Errorf("store: finish row: %w", err)
	}
	return nil
}

// FinishImport gives up rows that still wait and notes the end.
func (d *database) FinishImport(ctx context.Context, id string) error {
	err := d.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE import_rows SET state = $1, payload = '' WHERE import_id = $2 AND state = 'waiting'`,
			string(RowCancelled), id)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE imports SET finished_at = $1 WHERE id = $2 AND finished_at = 0`, micros(time.Now()), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: finish import: %w", err)
	}
	d.forgetLog(ctx)
	return nil
}

// forgetLog empties SQLite's write-ahead log, which holds earlier forms of rows.
// It is left for another time where somebody reads just now.
func (d *database) forgetLog(ctx context.Context) {
	if d.clock == sqliteClock {
		_, _ = d.write.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	}
}
