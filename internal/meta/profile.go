package meta

import (
	"context"
	"net/url"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

const profileFields = "about,address,description,email,profile_picture_url,websites,vertical"

// Profile returns the business profile of a number.
func (c *Client) Profile(ctx context.Context, phoneMetaID string, token identity.Secret) (account.Profile, error) {
	var a struct {
		Data []account.Profile `json:"data"`
	}
	err := c.Do(ctx, Call{Version: Version, Path: phoneMetaID + "/whatsapp_business_profile", Query: url.Values{"fields": {profileFields}},
		Token: token}, &a)
	if err != nil || len(a.Data) == 0 {
		return account.Profile{}, err
	}
	return a.Data[0], nil
}

// ChangeProfile changes the members of the business profile that are set.
func (c *Client) ChangeProfile(ctx context.Context, phoneMetaID string, token identity.Secret, p account.Profile) error {
	p.Product, p.PictureURL = "whatsapp", ""
	return c.post(ctx, phoneMetaID+"/whatsapp_business_profile", token, p)
}
