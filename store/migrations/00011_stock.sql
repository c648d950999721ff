-- Parts of the stock that are spoken for. Times as in 00001, real time.

-- +goose Up

-- The one row is the stock list that was read last; who sets parts aside locks it.
CREATE TABLE stock_list (
    id      BIGINT NOT NULL PRIMARY KEY,
    digest  TEXT   NOT NULL,
    read_at BIGINT NOT NULL
);

-- One row a part that a work order wants: granted of it are set aside.
CREATE TABLE stock_reservations (
    work_order  TEXT   NOT NULL,
    sku         TEXT   NOT NULL,
    wanted      BIGINT NOT NULL,
    granted     BIGINT NOT NULL,
    reserved_at BIGINT NOT NULL,
    PRIMARY KEY (work_order, sku)
);
CREATE INDEX stock_reservations_by_sku ON stock_reservations (sku);

-- What was used up and the list that does not know of it yet.
CREATE TABLE stock_used (
    sku      TEXT   NOT NULL,
    digest   TEXT   NOT NULL,
    quantity BIGINT NOT NULL,
    used_at  BIGINT NOT NULL,
    PRIMARY KEY (sku, digest)
);
