-- The journal, what was found in it, and the bank's statements. Amounts are cents, days
-- YYYY-MM-DD, times business time as in 00001. Nothing of it is ever removed.

-- +goose Up

-- RentVine's transactions as they were last seen. A row is locked while its entries are
-- planned.
CREATE TABLE finance_transactions (
    id           TEXT   NOT NULL PRIMARY KEY,
    kind         TEXT   NOT NULL,
    number       TEXT   NOT NULL,
    lease_id     TEXT   NOT NULL,
    unit_id      TEXT   NOT NULL,
    property_id  TEXT   NOT NULL,
    portfolio_id TEXT   NOT NULL,
    account      TEXT   NOT NULL,
    category     TEXT   NOT NULL,
    amount       BIGINT NOT NULL,
    day          TEXT   NOT NULL,
    text         TEXT   NOT NULL,
    counts       BIGINT NOT NULL,
    seen_at      BIGINT NOT NULL
);
CREATE INDEX finance_transactions_by_lease     ON finance_transactions (lease_id, day);
CREATE INDEX finance_transactions_by_portfolio ON finance_transactions (portfolio_id);
CREATE INDEX finance_transactions_by_property  ON finance_transactions (property_id);

-- of_day is the transaction's own day. bank is what the entry's lines of the role "bank"
-- add up to, positive where money came. match_id is '' while the bank does not know it.
CREATE TABLE journal_entries (
    transaction_id TEXT   NOT NULL,
    number         BIGINT NOT NULL,
    day            TEXT   NOT NULL,
    of_day         TEXT   NOT NULL,
    currency       TEXT   NOT NULL,
    reverses       BIGINT NOT NULL,
    bank           BIGINT NOT NULL,
    planned_at     BIGINT NOT NULL,
    posted_at      BIGINT NOT NULL DEFAULT 0,
    quickbooks_id  TEXT   NOT NULL DEFAULT '',
    match_id       TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (transaction_id, number)
);
CREATE INDEX journal_entries_by_day       ON journal_entries (day, transaction_id, number);
CREATE INDEX journal_entries_by_plan      ON journal_entries (planned_at);
CREATE INDEX journal_entries_open_at_bank ON journal_entries (day, transaction_id, number)
    WHERE bank <> 0 AND match_id = '';

CREATE TABLE journal_lines (
    transaction_id TEXT   NOT NULL,
    number         BIGINT NOT NULL,
    line           BIGINT NOT NULL,
    role           TEXT   NOT NULL,
    account        TEXT   NOT NULL,
    debit          BIGINT NOT NULL,
    credit         BIGINT NOT NULL,
    PRIMARY KEY (transaction_id, number, line)
);

-- evidence, transactions and proposals are JSON; finding_transactions finds them again.
-- reviewed_at is 0 until its review has begun.
CREATE TABLE findings (
    id           TEXT   NOT NULL PRIMARY KEY,
    kind         TEXT   NOT NULL,
    severity     TEXT   NOT NULL,
    reason       TEXT   NOT NULL,
    evidence     TEXT   NOT NULL,
    transactions TEXT   NOT NULL,
    lease_id     TEXT   NOT NULL,
    property_id  TEXT   NOT NULL,
    portfolio_id TEXT   NOT NULL,
    amount       BIGINT NOT NULL,
    proposals    TEXT   NOT NULL,
    found_at     BIGINT NOT NULL,
    reviewed_at  BIGINT NOT NULL DEFAULT 0,
    state        TEXT   NOT NULL,
    decided_by   TEXT   NOT NULL DEFAULT '',
    decided_at   BIGINT NOT NULL DEFAULT 0,
    note         TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX findings_by_state ON findings (state, found_at);
CREATE INDEX findings_by_time  ON findings (found_at);
CREATE INDEX findings_by_lease ON findings (lease_id);

CREATE TABLE finding_transactions (
    transaction_id TEXT NOT NULL,
    finding_id     TEXT NOT NULL,
    PRIMARY KEY (transaction_id, finding_id)
);

CREATE TABLE bank_statements (
    id       TEXT   NOT NULL PRIMARY KEY,
    account  TEXT   NOT NULL,
    currency TEXT   NOT NULL,
    from_day TEXT   NOT NULL,
    to_day   TEXT   NOT NULL,
    opening  BIGINT NOT NULL,
    closing  BIGINT NOT NULL,
    balances BIGINT NOT NULL,
    lines    BIGINT NOT NULL,
    sum      BIGINT NOT NULL,
    read_at  BIGINT NOT NULL
);
CREATE INDEX bank_statements_by_account ON bank_statements (account, to_day);

-- text and reference are the bank's words and may name people.
CREATE TABLE bank_lines (
    id           TEXT   NOT NULL,
    account      TEXT   NOT NULL,
    statement_id TEXT   NOT NULL,
    day          TEXT   NOT NULL,
    amount       BIGINT NOT NULL,
    text         TEXT   NOT NULL,
    reference    TEXT   NOT NULL,
    match_id     TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (id, account)
);
CREATE INDEX bank_lines_open ON bank_lines (account, day, id) WHERE match_id = '';

CREATE TABLE bank_matches (
    id         TEXT   NOT NULL PRIMARY KEY,
    how        TEXT   NOT NULL,
    why        TEXT   NOT NULL,
    decided_by TEXT   NOT NULL,
    matched_at BIGINT NOT NULL
);
