-- Whom campaigns write to: language and consent, how often they were written to, and
-- what became of each message. Times of contacts and claims are business time, the
-- others real time as in 00001; ids only, no names and no addresses.

-- +goose Up

-- id is RentVine's contact id. consent_source and consent_at belong to sms_consent,
-- source and changed_at to the rest.
CREATE TABLE contacts (
    id                TEXT   NOT NULL PRIMARY KEY,
    language          TEXT   NOT NULL,
    sms_consent       TEXT   NOT NULL,
    consent_source    TEXT   NOT NULL,
    consent_at        BIGINT NOT NULL,
    preferred_channel TEXT   NOT NULL,
    source            TEXT   NOT NULL,
    changed_at        BIGINT NOT NULL
);

ALTER TABLE messages ADD COLUMN campaign     TEXT   NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN contact      TEXT   NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN person       TEXT   NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN question_id  TEXT   NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN delivered_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX messages_by_workflow ON messages (workflow_id, sent_at);
CREATE INDEX messages_by_campaign ON messages (sent_at) WHERE campaign <> '';

ALTER TABLE questions ADD COLUMN opened_at   BIGINT NOT NULL DEFAULT 0;
ALTER TABLE questions ADD COLUMN answered_at BIGINT NOT NULL DEFAULT 0;

-- A row is a message of a campaign that counts against the caps of a person. A
-- person's row in campaign_people is locked meanwhile, so that two campaigns at once
-- do not both take the last place.
CREATE TABLE campaign_claims (
    message_key TEXT   NOT NULL PRIMARY KEY,
    person      TEXT   NOT NULL,
    campaign    TEXT   NOT NULL,
    claimed_at  BIGINT NOT NULL
);
CREATE INDEX campaign_claims_by_person ON campaign_claims (person, claimed_at);
CREATE INDEX campaign_claims_by_age    ON campaign_claims (claimed_at);

CREATE TABLE campaign_people (
    person  TEXT   NOT NULL PRIMARY KEY,
    last_at BIGINT NOT NULL
);
CREATE INDEX campaign_people_by_age ON campaign_people (last_at);
