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

// SendResult is WhatsApp's acceptance. Whether the message arrives is told by statuses.
type SendResult struct {
	WAMID         string // "" for receipts
	WaID          string // WhatsApp's form of the recipient's number, which may differ from the one given; may be ""
	UserID        string // the recipient's business-scoped id; may be ""
	MessageStatus string // accepted, held_for_quality_assessment or paused, for templates; may be ""
}

var errNoWAMID = errors.New("answer has no message id")

// Send makes exactly one attempt. A success that does not name the message is an *Unanswered of Unknown fate.
func (c *Client) Send(ctx context.Context, r SendRequest) (SendResult, error) {
	edge := "/messages"
	if r.Marketing {
		edge = "/marketing_messages"
	}
	answer, err := c.roundTrip(ctx, &Call{Method: http.MethodPost, Version: r.Version, Path: r.PhoneNumberID + edge, Token: r.Token, Body: r.Body})
	if err != nil {
		return SendResult{}, err
	}
	result, ok := decodeSent(answer, r.Receipt)
	if !ok {
		return SendResult{}, &Unanswered{Fate: Unknown, Err: errNoWAMID}
	}
	return result, nil
}

func decodeSent(answer []byte, receipt bool) (SendResult, bool) {
	var a struct {
		Success  bool `json:"success"`
		Messages []struct {
			ID     string `json:"id"`
			Status string `json:"message_status"`
		} `json:"messages"`
		Contacts []struct {
			WaID   string `json:"wa_id"`
			UserID string `json:"user_id"`
		} `json:"contacts"`
	}
	if json.Unmarshal(answer, &a) != nil {
		return SendResult{}, false
	}
	var r SendResult
	if len(a.Contacts) > 0 {
		r.WaID, r.UserID = a.Contacts[0].WaID, a.Contacts[0].UserID
	}
	if len(a.Messages) > 0 {
		r.WAMID, r.MessageStatus = a.Messages[0].ID, a.Messages[0].Status
	}
	return r, r.WAMID != "" || receipt && a.Success
}
