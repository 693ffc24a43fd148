package template

// The values below are what is asked of Meta about templates, and its answers.

// Ref names one template: by Meta's id, or by name and language.
type Ref struct{ ID, Name, Language string }

// Created is the answer to a creation.
type Created struct {
	ID       string
	Status   Status
	Category Category // what Meta made of it
}

// Query asks for a page of a business account's templates.
type Query struct {
	Name  string // part of the name; "" for all
	After string // Meta's cursor; "" for the first page
	Limit int
}

// Page is a page of templates. After is "" on the last one.
type Page struct {
	Templates []Template
	After     string
}

// Edit is a change of a template. Empty members stay as they are.
type Edit struct {
	Category      string
	Format        Format
	Components    []byte // JSON array
	TrackLinksOut *bool  // cta_url_link_tracking_opted_out
}

// LibraryQuery asks for a page of Meta's library.
type LibraryQuery struct {
	Search, Topic, UseCase, Industry, Language string
	After                                      string
	Limit                                      int
}

// LibraryPage is a page of Meta's library.
type LibraryPage struct {
	Templates []LibraryTemplate
	After     string
}

// LibraryTemplate is a template that Meta wrote, in Meta's terms.
type LibraryTemplate struct {
	ID, Name, Language, Category string
	Topic, UseCase               string
	Industries                   []string
	Header, Body                 string
	BodyParams                   []string // samples
	Buttons                      []LibraryButton
}

// LibraryButton is a button of such a template.
type LibraryButton struct {
	Type, Text, Phone, URL, OTPType string
	ZeroTapTermsAccepted            *bool
	Apps                            []map[string]string
}
