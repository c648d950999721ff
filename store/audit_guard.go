package store

import (
	"context"
	"database/sql"

	"github.com/pressly/goose/v3"
)

// auditGuard is the migration that makes the database itself refuse to change or delete
// entries of the audit and receipts, but to erase details, and to move the head of a chain but
// forward. It is not a file, because the
// databases have no text for triggers in common. Whoever owns the database can drop them:
// what that hides from them, the chains show.
func auditGuard(dialect goose.Dialect) *goose.Migration {
	statements := sqliteGuard
	if dialect == goose.DialectPostgres {
		statements = postgresGuard
	}
	return goose.NewGoMigration(20, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		for _, statement := range statements {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}}, nil)
}

const (
	guardedColumns = `entity, seq, id, prev, hash, at, kind, actor, what, partner, ref, links, run_id, step, subject, digest`
	notErased      = `NEW.erased <> 1 OR NEW.salt <> '' OR NEW.details <> ''`
	movedBack      = `NEW.entity <> OLD.entity OR NEW.seq < OLD.seq OR (NEW.seq = OLD.seq AND NEW.hash <> OLD.hash)`
	guardSays      = `store: the audit and receipts are only added to`
)

var sqliteGuard = []string{
	`CREATE TRIGGER audit_entries_stay BEFORE DELETE ON audit_entries BEGIN SELECT RAISE(ABORT, '` + guardSays + `'); END`,
	`CREATE TRIGGER audit_entries_last BEFORE UPDATE OF ` + guardedColumns + ` ON audit_entries BEGIN SELECT RAISE(ABORT, '` + guardSays + `'); END`,
	`CREATE TRIGGER audit_entries_erased BEFORE UPDATE OF details, salt, erased ON audit_entries WHEN ` + notErased + ` BEGIN SELECT RAISE(ABORT, '` + guardSays + `'); END`,
	`CREATE TRIGGER audit_heads_stay BEFORE DELETE ON audit_heads BEGIN SELECT RAISE(ABORT, '` + guardSays + `'); END`,
	`CREATE TRIGGER audit_heads_forward BEFORE UPDATE ON audit_heads WHEN ` + movedBack + ` BEGIN SELECT RAISE(ABORT, '` + guardSays + `'); END`,
	`CREATE TRIGGER receipts_stay BEFORE DELETE ON receipts BEGIN SELECT RAISE(ABORT, '` + guardSays + `'); END`,
	`CREATE TRIGGER receipts_last BEFORE UPDATE ON receipts BEGIN SELECT RAISE(ABORT, '` + guardSays + `'); END`,
}

var postgresGuard = []string{
	`CREATE FUNCTION keyholder_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '` + guardSays + `'; END $$`,
	`CREATE TRIGGER audit_entries_stay BEFORE DELETE OR TRUNCATE ON audit_entries EXECUTE FUNCTION keyholder_refuse()`,
	`CREATE TRIGGER audit_entries_last BEFORE UPDATE OF ` + guardedColumns + ` ON audit_entries EXECUTE FUNCTION keyholder_refuse()`,
	`CREATE TRIGGER audit_entries_erased BEFORE UPDATE OF details, salt, erased ON audit_entries FOR EACH ROW WHEN (` + notErased + `) EXECUTE FUNCTION keyholder_refuse()`,
	`CREATE TRIGGER audit_heads_stay BEFORE DELETE OR TRUNCATE ON audit_heads EXECUTE FUNCTION keyholder_refuse()`,
	`CREATE TRIGGER audit_heads_forward BEFORE UPDATE ON audit_heads FOR EACH ROW WHEN (` + movedBack + `) EXECUTE FUNCTION keyholder_refuse()`,
	`CREATE TRIGGER receipts_stay BEFORE DELETE OR TRUNCATE OR UPDATE ON receipts EXECUTE FUNCTION keyholder_refuse()`,
}
