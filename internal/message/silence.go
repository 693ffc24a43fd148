package message

import "time"

// Silence is what is known of the messages of one number that WhatsApp took and about which it has reported nothing in time. An
// incident begins with the first of them and is over once statuses come again, though some may be missing for ever.
type Silence struct {
	AccountID string
	WABAKey   string
	PhoneKey  string
	Overdue   int       // messages without a status at present, those of earlier incidents included
	Since     time.Time // hand-over of the first message of the incident; zero without one
	Count     int       // messages of the incident, those that have a status by now included
	Told      int       // the count that was told last; 0 before
	FoundAt   time.Time // when the latest of them was found
	HeardAt   time.Time // when a status of the number came last, since the incident began

	// Who the number is at Meta; empty once it is not linked any more.
	WABAMetaID    string
	PhoneMetaID   string
	DisplayNumber string
}

// tenfold is how much an incident has to grow to be told again: whether one status is missing or all of a hundred thousand, nobody
// gets more than a few words about it.
const tenfold = 10

// News says what there is to tell about a silence: that it began or has grown a lot, or that it is over. patience is how long a
// status may take.
func (s *Silence) News(now time.Time, patience time.Duration) (tell, over bool) {
	switch {
	case s.Since.IsZero():
		return false, false
	case s.over(now, patience):
		return s.Told > 0, true
	default:
		return s.Told == 0 || s.Count >= s.Told*tenfold, false
	}
}

// over: nothing is missing any more, or statuses have come and for a while none was missed.
func (s *Silence) over(now time.Time, patience time.Duration) bool {
	return s.Overdue == 0 || s.HeardAt.After(s.FoundAt) && now.Sub(s.FoundAt) >= patience
}
