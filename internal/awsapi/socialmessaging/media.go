package socialmessaging

import (
	"context"
	"net/url"
	"path"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/media"
)

// Media is where WhatsApp keeps files: for 30 days, each for one number. What a number does not have is a fault.NotFound.
type Media interface {
	UploadMedia(ctx context.Context, line account.Line, f media.File) (id string, err error)
	// FindMedia returns a file whose body is fetched when it is first read.
	FindMedia(ctx context.Context, line account.Line, id string) (media.Object, error)
	DeleteMedia(ctx context.Context, line account.Line, id string) (bool, error)
}

// Samples takes files that are examples of what a template will show.
type Samples interface {
	UploadSample(ctx context.Context, a account.Access, f media.File) (handle string, err error)
}

// Objects are the buckets that an account may use. What does not exist there is a fault.NotFound.
type Objects interface {
	Get(ctx context.Context, accountID, bucket, key string) (media.Object, error)
	// Put writes an object whole, or not at all.
	Put(ctx context.Context, accountID, bucket, key string, from media.Object) error
}

// Presigned is access to objects by URL. Allowed reports whether a URL leads to where it may lead.
type Presigned interface {
	Allowed(url string) bool
	Get(ctx context.Context, url string, headers map[string]string) (media.Object, error)
	Put(ctx context.Context, url string, headers map[string]string, from media.Object) error
}

// mediaRate is the quota of each operation on media.
const mediaRate = 100

// mediaOperations are the operations on media.
func (s server) mediaOperations() []awsapi.Operation {
	return []awsapi.Operation{
		{Name: "CreateWhatsAppMessageTemplateMedia", Method: "POST", Path: "/v1/whatsapp/template/media", Errors: metaErrors,
			Once: true, Do: awsapi.Op(s.createTemplateMedia)},
		{Name: "DeleteWhatsAppMessageMedia", Method: "DELETE", Path: "/v1/whatsapp/media", Errors: metaErrors, Rate: mediaRate,
			Do: awsapi.Op(s.deleteMedia)},
		{Name: "GetWhatsAppMessageMedia", Method: "POST", Path: "/v1/whatsapp/media/get", Errors: metaErrors, Rate: mediaRate,
			Do: awsapi.Op(s.getMedia)},
		{Name: "PostWhatsAppMessageMedia", Method: "POST", Path: "/v1/whatsapp/media", Errors: metaErrors, Rate: mediaRate,
			Once: true, Do: awsapi.Op(s.postMedia)},
	}
}

type s3File struct {
	Bucket string `json:"bucketName" required:"true" len:"3..63" pattern:"[a-z0-9][a-z0-9.-]*[a-z0-9]" sensitive:"true"`
	Key    string `json:"key" required:"true" len:"0..1024" sensitive:"true"`
}

// presignedPattern is the model's. Where a URL may really lead is for Presigned to say.
const presignedPattern = "https://(.*)s3(.*).amazonaws.com/(.*)"

type s3PresignedURL struct {
	URL     string            `json:"url" required:"true" len:"1..2000" sensitive:"true"`
	Headers map[string]string `json:"headers" required:"true" sensitive:"true"`
}

// check applies the model's constraint on URLs, widened by what the configuration allows.
func (u *s3PresignedURL) check(allowed Presigned, member string) error {
	if u == nil || allowed.Allowed(u.URL) {
		return nil
	}
	return fault.New(fault.Validation, "1 validation error detected: Value at '%s.url' failed to satisfy constraint: Member must satisfy "+
		"regular expression pattern: %s", member, presignedPattern)
}

// header returns a header whatever the case of its name.
func (u *s3PresignedURL) header(name string) string {
	for given, value := range u.Headers {
		if strings.EqualFold(given, name) {
			return value
		}
	}
	return ""
}

// name is the file's name in the URL's path.
func (u *s3PresignedURL) name() string {
	parsed, err := url.Parse(u.URL)
	if err != nil {
		return ""
	}
	return path.Base(parsed.Path)
}

type postMediaInput struct {
	PhoneNumberID string          `json:"originationPhoneNumberId" required:"true" len:"1..115" pattern:".*(^phone-number-id-.*$)|(^arn:.*:phone-number-id/[0-9a-zA-Z]+$).*" match:"phone-number-id-.*|arn:.*:phone-number-id/(phone-number-id-)?[0-9a-zA-Z]+"`
	URL           *s3PresignedURL `json:"sourceS3PresignedUrl"`
	File          *s3File         `json:"sourceS3File"`
}

type postMediaOutput struct {
	MediaID string `json:"mediaId"`
}

// postMedia copies a file from a bucket to WhatsApp. Nothing is sent before type and size are known to be right, and nothing
// stays when the copy breaks off.
func (s server) postMedia(ctx context.Context, in *postMediaInput) (*postMediaOutput, error) {
	if (in.URL == nil) == (in.File == nil) {
		return nil, refuse("Exactly one of sourceS3PresignedUrl and sourceS3File has to be given.")
	}
	if err := in.URL.check(s.Presigned, "sourceS3PresignedUrl"); err != nil {
		return nil, err
	}
	line, err := s.line(ctx, in.PhoneNumberID)
	if err != nil {
		return nil, err
	}
	var from media.Object
	var name string
	if in.File != nil {
		name = path.Base(in.File.Key)
		from, err = s.Objects.Get(ctx, line.AccountID, in.File.Bucket, in.File.Key)
	} else {
		declared := in.URL.header("Content-Type")
		if declared == "" {
			return nil, refuse("The headers of sourceS3PresignedUrl need a Content-Type: the media type of the file.")
		}
		name = in.URL.name()
		from, err = s.Presigned.Get(ctx, in.URL.URL, in.URL.Headers)
		from.Type = declared
	}
	if err != nil {
		return nil, err
	}
	defer from.Body.Close()
	kind, body, err := media.Inspect(from, name)
	if err != nil {
		return nil, err
	}
	id, err := s.Media.UploadMedia(ctx, line, media.File{Type: kind.MIME, Name: name, Size: from.Size, Body: body})
	if err != nil {
		return nil, err
	}
	return &postMediaOutput{id}, nil
}

type getMediaInput struct {
	MediaID       string          `json:"mediaId" required:"true" len:"1..100" pattern:"[A-Za-z0-9]+"`
	PhoneNumberID string          `json:"originationPhoneNumberId" required:"true" len:"1..115" pattern:".*(^phone-number-id-.*$)|(^arn:.*:phone-number-id/[0-9a-zA-Z]+$).*" match:"phone-number-id-.*|arn:.*:phone-number-id/(phone-number-id-)?[0-9a-zA-Z]+"`
	MetadataOnly  bool            `json:"metadataOnly"`
	URL           *s3PresignedURL `json:"destinationS3PresignedUrl"`
	File          *s3File         `json:"destinationS3File"`
}

type getMediaOutput struct {
	MIMEType string `json:"mimeType"`
	FileSize int64  `json:"fileSize"` // in bytes; the model's text says KB, its example is in bytes
}

// maxKey is the longest key of an object in S3.
const maxKey = 1024

// getMedia copies a file from WhatsApp to a bucket, or only tells about it.
func (s server) getMedia(ctx context.Context, in *getMediaInput) (*getMediaOutput, error) {
	switch {
	case in.URL != nil && in.File != nil:
		return nil, refuse("Only one of destinationS3PresignedUrl and destinationS3File may be given.")
	case in.URL == nil && in.File == nil && !in.MetadataOnly:
		return nil, refuse("One of destinationS3PresignedUrl and destinationS3File has to be given, unless metadataOnly is true.")
	}
	if err := in.URL.check(s.Presigned, "destinationS3PresignedUrl"); err != nil {
		return nil, err
	}
	line, err := s.line(ctx, in.PhoneNumberID)
	if err != nil {
		return nil, err
	}
	from, err := s.Media.FindMedia(ctx, line, in.MediaID)
	if err != nil {
		return nil, named(err, noMedia(in.MediaID, in.PhoneNumberID))
	}
	defer from.Body.Close()
	switch {
	case in.MetadataOnly:
	case in.File != nil:
		key := media.Key(in.File.Key, in.MediaID, from.Type)
		if len(key) > maxKey {
			return nil, refuse("The key, with the media id and the extension behind it, is longer than %d bytes.", maxKey)
		}
		err = s.Objects.Put(ctx, line.AccountID, in.File.Bucket, key, from)
	default:
		err = s.Presigned.Put(ctx, in.URL.URL, in.URL.Headers, from)
	}
	if err != nil {
		return nil, err
	}
	return &getMediaOutput{from.Type, from.Size}, nil
}

func noMedia(id, phone string) *fault.Error {
	return fault.New(fault.NotFound, "Phone number %s has no media %s: it never had, or it was deleted or has expired.", phone, id)
}

type deleteMediaInput struct {
	MediaID       string `query:"mediaId" required:"true" len:"1..100" pattern:"[A-Za-z0-9]+"`
	PhoneNumberID string `query:"originationPhoneNumberId" required:"true" len:"1..115" pattern:".*(^phone-number-id-.*$)|(^arn:.*:phone-number-id/[0-9a-zA-Z]+$).*" match:"phone-number-id-.*|arn:.*:phone-number-id/(phone-number-id-)?[0-9a-zA-Z]+"`
}

type deleteMediaOutput struct {
	Success bool `json:"success"`
}

// deleteMedia removes a file from WhatsApp. Copies in buckets stay.
func (s server) deleteMedia(ctx context.Context, in *deleteMediaInput) (*deleteMediaOutput, error) {
	line, err := s.line(ctx, in.PhoneNumberID)
	if err != nil {
		return nil, err
	}
	done, err := s.Media.DeleteMedia(ctx, line, in.MediaID)
	if err != nil {
		return nil, named(err, noMedia(in.MediaID, in.PhoneNumberID))
	}
	return &deleteMediaOutput{done}, nil
}

type createTemplateMediaInput struct {
	ID   string  `json:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	File *s3File `json:"sourceS3File"`
}

type createTemplateMediaOutput struct {
	Handle string `json:"metaHeaderHandle"`
}

// createTemplateMedia copies a file from a bucket to Meta as the example of a template's header.
func (s server) createTemplateMedia(ctx context.Context, in *createTemplateMediaInput) (*createTemplateMediaOutput, error) {
	if in.File == nil { // the model does not ask for it, but there is nothing else
		return nil, refuse("sourceS3File has to be given.")
	}
	access, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	from, err := s.Objects.Get(ctx, access.AccountID, in.File.Bucket, in.File.Key)
	if err != nil {
		return nil, err
	}
	defer from.Body.Close()
	name := path.Base(in.File.Key)
	kind, body, err := media.Inspect(from, name)
	if err != nil {
		return nil, err
	}
	if !kind.Sample() {
		return nil, refuse("The header of a template shows a JPEG or PNG image, an MP4 video or a PDF document, not %s.", kind.MIME)
	}
	handle, err := s.Samples.UploadSample(ctx, access, media.File{Type: kind.MIME, Name: name, Size: from.Size, Body: body})
	if err != nil {
		return nil, err
	}
	return &createTemplateMediaOutput{handle}, nil
}
