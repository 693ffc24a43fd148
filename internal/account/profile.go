package account

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
