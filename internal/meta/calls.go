package meta

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/calling"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

var errNoCallID = errors.New("answer has no call id")

// SendCall hands one call event to WhatsApp, in exactly one attempt, and returns Meta's id of the call it starts; "" for events
// about a call that exists. Errors are this package's own.
func (c *Client) SendCall(ctx context.Context, line account.Line, version string, body []byte, starts bool) (callID string, err error) {
	var answer struct {
		Calls []struct {
			ID string `json:"id"`
		} `json:"calls"`
	}
	err = c.Do(ctx, Call{Method: http.MethodPost, Version: version, Path: line.PhoneMetaID + "/calls", Token: line.Token, Body: body}, &answer)
	switch {
	case err != nil || !starts:
		return "", err
	case len(answer.Calls) == 0 || answer.Calls[0].ID == "":
		return "", &Unanswered{Fate: Unknown, Err: errNoCallID}
	}
	return answer.Calls[0].ID, nil
}

// CallPermission asks whether a number may call a user, who is given by phone number (E.164) or by business-scoped id. Errors
// are faults.
func (c *Client) CallPermission(ctx context.Context, line account.Line, phone, scopedID string) (calling.Permission, error) {
	query := url.Values{}
	if phone != "" {
		query.Set("user_wa_id", phone)
	} else {
		query.Set("recipient", scopedID)
	}
	var answer struct {
		Permission struct {
			Status  string `json:"status"`
			Expires int64  `json:"expiration_time"`
		} `json:"permission"`
		Actions []struct {
			Name    string `json:"action_name"`
			Allowed bool   `json:"can_perform_action"`
			Limits  []struct {
				Period  string `json:"time_period"`
				Max     int    `json:"max_allowed"`
				Used    int    `json:"current_usage"`
				Expires int64  `json:"limit_expiration_time"`
			} `json:"limits"`
		} `json:"actions"`
	}
	if err := c.Do(ctx, Call{Version: Version, Path: line.PhoneMetaID + "/call_permissions", Query: query, Token: line.Token}, &answer); err != nil {
		return calling.Permission{}, Fault(err)
	}
	p := calling.Permission{Status: answer.Permission.Status, ExpiresAt: answer.Permission.Expires}
	for _, a := range answer.Actions {
		action := calling.Action{Name: a.Name, Allowed: a.Allowed}
		for _, l := range a.Limits {
			action.Limits = append(action.Limits, calling.Limit{Period: l.Period, Max: l.Max, Used: l.Used, ExpiresAt: l.Expires})
		}
		p.Actions = append(p.Actions, action)
	}
	return p, nil
}

// CreateDataset returns the id of an account's dataset of conversions, which is made if there is none. Errors are faults.
func (c *Client) CreateDataset(ctx context.Context, a account.Access) (id string, err error) {
	var answer struct {
		ID string `json:"id"`
	}
	err = c.Do(ctx, Call{Method: http.MethodPost, Version: Version, Path: a.MetaID + "/dataset", Token: a.Token, Body: []byte("{}")}, &answer)
	if err == nil && answer.ID == "" {
		err = &Unanswered{Fate: Unknown, Err: errNoID}
	}
	return answer.ID, Fault(err)
}

// SendConversions reports conversions, Meta's object of POST /events, to the dataset of an account and returns Meta's id of
// the request. Errors are faults; a dataset of another account's is not found.
func (c *Client) SendConversions(ctx context.Context, a account.Access, datasetID string, body json.RawMessage) (requestID string, err error) {
	var own struct {
		ID string `json:"id"`
	}
	if err := c.Do(ctx, Call{Version: Version, Path: a.MetaID + "/dataset", Token: a.Token}, &own); err != nil {
		return "", Fault(err)
	}
	if own.ID != datasetID {
		return "", fault.New(fault.NotFound, "There is no dataset %s in this WhatsApp Business Account.", datasetID)
	}
	var answer struct {
		Trace string `json:"fbtrace_id"`
	}
	err = c.Do(ctx, Call{Method: http.MethodPost, Version: Version, Path: datasetID + "/events", Token: a.Token, Body: body}, &answer)
	return answer.Trace, Fault(err)
}

// SetPublicKey stores the key, in PEM, with which WhatsApp encrypts what Flows send to a number's endpoint. Errors are faults.
func (c *Client) SetPublicKey(ctx context.Context, line account.Line, pem string) error {
	form := url.Values{"business_public_key": {pem}}
	return Fault(c.Do(ctx, Call{Method: http.MethodPost, Version: Version, Path: line.PhoneMetaID + "/whatsapp_business_encryption", Token: line.Token,
		Body: []byte(form.Encode()), ContentType: "application/x-www-form-urlencoded"}, nil))
}

// PublicKey returns a number's key, in PEM, and whether Meta's signature of it is valid (VALID or MISMATCH). Errors are faults;
// a number without a key is not found.
func (c *Client) PublicKey(ctx context.Context, line account.Line) (pem, signature string, err error) {
	var answer struct {
		Data []struct {
			Key       string `json:"business_public_key"`
			Signature string `json:"business_public_key_signature_status"`
		} `json:"data"`
	}
	if err := c.Do(ctx, Call{Version: Version, Path: line.PhoneMetaID + "/whatsapp_business_encryption", Token: line.Token}, &answer); err != nil {
		return "", "", Fault(err)
	}
	if len(answer.Data) == 0 || answer.Data[0].Key == "" {
		return "", "", fault.New(fault.NotFound, "The phone number has no business public key.")
	}
	return answer.Data[0].Key, answer.Data[0].Signature, nil
}
