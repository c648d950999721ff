package store

// The statuses of a message, as Twilio names them
// (contracts/sms-and-accounting.md 1). Others are kept as they are and give way
// to any of these.
const (
	StatusQueued      MessageStatus = "queued"
	StatusAccepted    MessageStatus = "accepted"
	StatusScheduled   MessageStatus = "scheduled"
	StatusSending     MessageStatus = "sending"
	StatusSent        MessageStatus = "sent"
	StatusDelivered   MessageStatus = "delivered"
	StatusUndelivered MessageStatus = "undelivered"
	StatusFailed      MessageStatus = "failed"
	StatusCanceled    MessageStatus = "canceled"
	StatusRead        MessageStatus = "read"
)

// place is how far a status is on the way to the person, 0 for one that is not
// on it.
func (s MessageStatus) place() int {
	switch s {
	case StatusQueued:
		return 1
	case StatusAccepted:
		return 2
	case StatusScheduled:
		return 3
	case StatusSending:
		return 4
	case StatusSent:
		return 5
	case StatusDelivered, StatusUndelivered, StatusFailed, StatusCanceled:
		return 6
	case StatusRead:
		return 7
	}
	return 0
}

// follows tells whether a message may move from before to s. Callbacks come in
// any order. What has ended stays as it ended, but a delivered message may be
// read.
func (s MessageStatus) follows(before MessageStatus) bool {
	if before == StatusUndelivered || before == StatusFailed || before == StatusCanceled {
		return false
	}
	return s.place() > before.place()
}
