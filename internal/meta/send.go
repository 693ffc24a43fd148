package meta

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// SendRequest hands one message, or one read receipt, to WhatsApp.
type SendRequest struct {
	PhoneNumberID string // Meta's id of the sending number
	Version       string // Graph API version, "v20.0"
	Token         identity.Secret
	Body          []byte // Meta's message object
	Receipt       bool   // the body marks a message read: the answer has no wamid
	Marketing     bool   // use the Marketing Messages API, which takes marketing templates only
}

var errNoWAMID = errors.New("answer has no message id")

// Send makes exactly one attempt and returns the id that WhatsApp has given the message, "" for receipts: it has accepted it. Whether
// it arrives is told by statuses. A success that does not name the message is an *Unanswered of Unknown fate.
func (c *Client) Send(ctx context.Context, r SendRequest) (wamid string, err error) {
	edge := "/messages"
	if r.Marketing {
		edge = "/marketing_messages"
	}
	answer, err := c.roundTrip(ctx, &Call{Method: http.MethodPost, Version: r.Version, Path: r.PhoneNumberID + edge, Token: r.Token, Body: r.Body})
	if err != nil {
		return "", err
	}
	wamid, ok := decodeSent(answer, r.Receipt)
	if !ok {
		return "", &Unanswered{Fate: Unknown, Err: errNoWAMID}
	}
	return wamid, nil
}

// decodeSent reads the id and nothing else: what the rest of an answer looks like must not put a message in doubt that was taken.
func decodeSent(answer []byte, receipt bool) (wamid string, ok bool) {
	var a struct {
		Success  bool `json:"success"`
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"`
	}
	if json.Unmarshal(answer, &a) != nil {
		return "", false
	}
	if len(a.Messages) > 0 {
		wamid = a.Messages[0].ID
	}
	return wamid, wamid != "" || receipt && a.Success
}
