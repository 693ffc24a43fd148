package meta

import (
	"context"
	"net/url"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Profile is what customers see of a business behind a number. When it is sent, members that are nil stay as they are, and an
// empty text clears all but About.
type Profile struct {
	About         *string   `json:"about,omitempty"`       // 1 to 139 characters
	Address       *string   `json:"address,omitempty"`     // at most 256
	Description   *string   `json:"description,omitempty"` // at most 512
	Email         *string   `json:"email,omitempty"`       // at most 128
	Websites      *[]string `json:"websites,omitempty"`    // at most 2, of 256 each
	Vertical      *string   `json:"vertical,omitempty"`    // industry, one of Meta's words
	PictureURL    string    `json:"profile_picture_url,omitempty"`
	PictureHandle *string   `json:"profile_picture_handle,omitempty"` // of a resumable upload; never read back
	Product       string    `json:"messaging_product,omitempty"`
}

const profileFields = "about,address,description,email,profile_picture_url,websites,vertical"

// Profile returns the business profile of a number.
func (c *Client) Profile(ctx context.Context, phoneMetaID string, token identity.Secret) (Profile, error) {
	var a struct {
		Data []Profile `json:"data"`
	}
	err := c.Do(ctx, Call{Version: Version, Path: phoneMetaID + "/whatsapp_business_profile", Query: url.Values{"fields": {profileFields}},
		Token: token}, &a)
	if err != nil || len(a.Data) == 0 {
		return Profile{}, err
	}
	return a.Data[0], nil
}

// ChangeProfile changes the members of the business profile that are set.
func (c *Client) ChangeProfile(ctx context.Context, phoneMetaID string, token identity.Secret, p Profile) error {
	p.Product, p.PictureURL = "whatsapp", ""
	return c.post(ctx, phoneMetaID+"/whatsapp_business_profile", token, p)
}
