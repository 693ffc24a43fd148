package meta

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Register makes a verified number ready to send through the Cloud API. The PIN becomes the number's two-step verification
// code, or has to match the one it has: otherwise code 133005. Region is the ISO country that keeps its data, or "". Meta allows
// ten registrations in 72 hours.
func (c *Client) Register(ctx context.Context, phoneMetaID string, token identity.Secret, pin, region string) error {
	body := map[string]string{"messaging_product": "whatsapp", "pin": pin}
	if region != "" {
		body["data_localization_region"] = region
	}
	return c.post(ctx, phoneMetaID+"/register", token, body)
}

// Deregister takes a number off the Cloud API. It stays in its business account.
func (c *Client) Deregister(ctx context.Context, phoneMetaID string, token identity.Secret) error {
	return c.post(ctx, phoneMetaID+"/deregister", token, map[string]string{"messaging_product": "whatsapp"})
}

// RequestCode has a verification code sent to a number, by "SMS" or "VOICE", in a language such as en_US.
func (c *Client) RequestCode(ctx context.Context, phoneMetaID string, token identity.Secret, method, language string) error {
	return c.post(ctx, phoneMetaID+"/request_code", token, map[string]string{"code_method": method, "language": language})
}

// VerifyCode proves with that code that the business has the number.
func (c *Client) VerifyCode(ctx context.Context, phoneMetaID string, token identity.Secret, code string) error {
	return c.post(ctx, phoneMetaID+"/verify_code", token, map[string]string{"code": code})
}

// ChangeSettings changes settings of a number, for example {"calling":{"status":"ENABLED"}}; what is left out stays.
func (c *Client) ChangeSettings(ctx context.Context, phoneMetaID string, token identity.Secret, settings any) error {
	return c.post(ctx, phoneMetaID+"/settings", token, settings)
}

// Settings returns the settings of a number as Meta has them.
func (c *Client) Settings(ctx context.Context, phoneMetaID string, token identity.Secret) (json.RawMessage, error) {
	return c.roundTrip(ctx, &Call{Version: Version, Path: phoneMetaID + "/settings", Token: token})
}

func (c *Client) post(ctx context.Context, path string, token identity.Secret, body any) error {
	return c.succeed(ctx, Call{Method: http.MethodPost, Version: Version, Path: path, Token: token, Body: mustJSON(body)})
}
