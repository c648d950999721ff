-- Homes: what RentVine showed of them, how they are offered, priced and kept lawful, and what
-- owners are told. Amounts are cents, days YYYY-MM-DD ('' for none), times business time as in
-- 00001. No column names a person.

-- +goose Up

-- units is JSON; place_units finds a place by one of them.
CREATE TABLE places (
    property_id  TEXT   NOT NULL PRIMARY KEY,
    portfolio_id TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    address      TEXT   NOT NULL,
    city         TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    zip_code     TEXT   NOT NULL,
    active       BIGINT NOT NULL,
    units        TEXT   NOT NULL,
    seen_at      BIGINT NOT NULL
);
CREATE INDEX places_by_portfolio ON places (portfolio_id, property_id);

CREATE TABLE place_units (
    unit_id     TEXT NOT NULL,
    property_id TEXT NOT NULL,
    PRIMARY KEY (unit_id, property_id)
);
CREATE INDEX place_units_by_property ON place_units (property_id);

CREATE TABLE tenancies (
    lease_id     TEXT   NOT NULL PRIMARY KEY,
    unit_id      TEXT   NOT NULL,
    property_id  TEXT   NOT NULL,
    portfolio_id TEXT   NOT NULL,
    status       TEXT   NOT NULL,
    start_day    TEXT   NOT NULL,
    end_day      TEXT   NOT NULL,
    notice_day   TEXT   NOT NULL,
    move_out_day TEXT   NOT NULL,
    rent         BIGINT NOT NULL,
    seen_at      BIGINT NOT NULL
);
CREATE INDEX tenancies_by_unit      ON tenancies (unit_id, lease_id);
CREATE INDEX tenancies_by_property  ON tenancies (property_id, lease_id);
CREATE INDEX tenancies_by_portfolio ON tenancies (portfolio_id, lease_id);

-- What is offered now. beds is -1 where unknown.
CREATE TABLE listings (
    unit_id      TEXT   NOT NULL PRIMARY KEY,
    property_id  TEXT   NOT NULL,
    portfolio_id TEXT   NOT NULL,
    address      TEXT   NOT NULL,
    unit_label   TEXT   NOT NULL,
    city         TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    zip_code     TEXT   NOT NULL,
    latitude     DOUBLE PRECISION NOT NULL,
    longitude    DOUBLE PRECISION NOT NULL,
    located      BIGINT NOT NULL,
    beds         BIGINT NOT NULL,
    baths        BIGINT NOT NULL,
    size         BIGINT NOT NULL,
    rent         BIGINT NOT NULL,
    currency     TEXT   NOT NULL,
    available    TEXT   NOT NULL,
    headline     TEXT   NOT NULL,
    text         TEXT   NOT NULL,
    contact      TEXT   NOT NULL,
    workflow_id  TEXT   NOT NULL,
    published_at BIGINT NOT NULL,
    changed_at   BIGINT NOT NULL
);
CREATE INDEX listings_by_property  ON listings (property_id, unit_id);
CREATE INDEX listings_by_portfolio ON listings (portfolio_id, unit_id);

-- first_reply is microseconds of real time; sources is JSON.
CREATE TABLE lettings (
    letting_key  TEXT   NOT NULL PRIMARY KEY,
    unit_id      TEXT   NOT NULL,
    property_id  TEXT   NOT NULL,
    portfolio_id TEXT   NOT NULL,
    outcome      TEXT   NOT NULL,
    empty_at     BIGINT NOT NULL,
    listed_at    BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL,
    leads        BIGINT NOT NULL,
    showings     BIGINT NOT NULL,
    applications BIGINT NOT NULL,
    first_reply  BIGINT NOT NULL,
    cost         BIGINT NOT NULL,
    lost         BIGINT NOT NULL,
    source       TEXT   NOT NULL,
    sources      TEXT   NOT NULL
);
CREATE INDEX lettings_by_end       ON lettings (ended_at);
CREATE INDEX lettings_by_unit      ON lettings (unit_id);
CREATE INDEX lettings_by_property  ON lettings (property_id);
CREATE INDEX lettings_by_portfolio ON lettings (portfolio_id, ended_at);

CREATE TABLE compliance_items (
    item_key       TEXT   NOT NULL PRIMARY KEY,
    property_id    TEXT   NOT NULL,
    unit_id        TEXT   NOT NULL,
    portfolio_id   TEXT   NOT NULL,
    requirement_id TEXT   NOT NULL,
    name           TEXT   NOT NULL,
    kind           TEXT   NOT NULL,
    state          TEXT   NOT NULL,
    due_day        TEXT   NOT NULL,
    renewed_day    TEXT   NOT NULL,
    changed_at     BIGINT NOT NULL
);
CREATE INDEX compliance_items_by_property  ON compliance_items (property_id, item_key);
CREATE INDEX compliance_items_by_unit      ON compliance_items (unit_id, item_key);
CREATE INDEX compliance_items_by_portfolio ON compliance_items (portfolio_id, item_key);

-- beds is -1, the other counts 0 where unknown.
CREATE TABLE market_rents (
    source   TEXT   NOT NULL,
    ref      TEXT   NOT NULL,
    day      TEXT   NOT NULL,
    zip_code TEXT   NOT NULL,
    city     TEXT   NOT NULL,
    state    TEXT   NOT NULL,
    beds     BIGINT NOT NULL,
    baths    BIGINT NOT NULL,
    size     BIGINT NOT NULL,
    built    BIGINT NOT NULL,
    rent     BIGINT NOT NULL,
    PRIMARY KEY (source, ref)
);
CREATE INDEX market_rents_by_zip_code ON market_rents (state, zip_code, day);
CREATE INDEX market_rents_by_city     ON market_rents (state, lower(city), day);
CREATE INDEX market_rents_by_day      ON market_rents (day);

-- fixed is 1, 0, or -1 where nobody knows. last_at is the latest of the times.
CREATE TABLE repairs (
    work_order_id   TEXT   NOT NULL PRIMARY KEY,
    property_id     TEXT   NOT NULL,
    unit_id         TEXT   NOT NULL,
    portfolio_id    TEXT   NOT NULL,
    emergency       BIGINT NOT NULL,
    what            TEXT   NOT NULL,
    opened_at       BIGINT NOT NULL,
    acknowledged_at BIGINT NOT NULL,
    on_site_at      BIGINT NOT NULL,
    done_at         BIGINT NOT NULL,
    last_at         BIGINT NOT NULL,
    cost            BIGINT NOT NULL,
    rating          BIGINT NOT NULL,
    fixed           BIGINT NOT NULL
);
CREATE INDEX repairs_by_done      ON repairs (done_at);
CREATE INDEX repairs_by_last      ON repairs (last_at);
CREATE INDEX repairs_by_unit      ON repairs (unit_id);
CREATE INDEX repairs_by_property  ON repairs (property_id, done_at);
CREATE INDEX repairs_by_portfolio ON repairs (portfolio_id, done_at);

CREATE TABLE open_requests (
    work_order_id TEXT   NOT NULL PRIMARY KEY,
    number        TEXT   NOT NULL,
    property_id   TEXT   NOT NULL,
    unit_id       TEXT   NOT NULL,
    portfolio_id  TEXT   NOT NULL,
    status        TEXT   NOT NULL,
    opened_at     BIGINT NOT NULL
);
CREATE INDEX open_requests_by_portfolio ON open_requests (portfolio_id, work_order_id);
CREATE INDEX open_requests_by_property  ON open_requests (property_id, work_order_id);
CREATE INDEX open_requests_by_unit      ON open_requests (unit_id, work_order_id);

-- What was handed on to workflows, by what it is about: the digest of what they were told.
CREATE TABLE handed_on (
    about   TEXT   NOT NULL PRIMARY KEY,
    digest  TEXT   NOT NULL,
    told_at BIGINT NOT NULL
);
