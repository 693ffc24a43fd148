package socialmessaging

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Datasets collect the conversions that messages led to.
type Datasets interface {
	CreateDataset(ctx context.Context, a account.Access) (id string, err error)
	// SendConversions reports Meta's object of conversions; a dataset of another business account is a fault.NotFound.
	SendConversions(ctx context.Context, a account.Access, datasetID string, body json.RawMessage) (requestID string, err error)
}

// PublicKeys are the keys with which WhatsApp encrypts what Flows send to a number's endpoint.
type PublicKeys interface {
	SetPublicKey(ctx context.Context, line account.Line, pem string) error
	PublicKey(ctx context.Context, line account.Line) (pem, signature string, err error)
}

// KeyStore is where keys are kept that are named by an ARN of KMS.
type KeyStore interface {
	// PublicKey returns the public part in PEM of a key that WhatsApp can encrypt for. What does not exist is a fault.NotFound, what
	// is not the account's a fault.AccessDenied.
	PublicKey(ctx context.Context, accountID, arn string) (pem string, err error)
}

// maxConversions is the longest eventData, in bytes (AWS's documentation).
const maxConversions = 1_024_000

var maxConversionBody = int64(base64.StdEncoding.EncodedLen(maxConversions)) + 64<<10

// datasetOperations are the operations on conversions and on public keys. AWS's SDKs do not have them yet; they follow AWS's
// documentation.
func (s server) datasetOperations() []awsapi.Operation {
	return []awsapi.Operation{
		{Name: "CreateWhatsAppDataset", Method: "POST", Path: "/v1/whatsapp/waba/dataset", Errors: metaErrors, Do: awsapi.Op(s.createDataset)},
		{Name: "GetWhatsAppBusinessPublicKey", Method: "GET", Path: "/v1/whatsapp/business-public-key", Errors: metaErrors, Do: awsapi.Op(s.getPublicKey)},
		{Name: "PutWhatsAppBusinessPublicKey", Method: "PUT", Path: "/v1/whatsapp/business-public-key", Errors: metaErrors, Do: awsapi.Op(s.putPublicKey)},
		{Name: "SendWhatsAppConversionEvent", Method: "POST", Path: "/v1/whatsapp/waba/dataset/events", Errors: metaErrors, Rate: 100,
			MaxBody: maxConversionBody, Once: true, Do: awsapi.Op(s.sendConversions)},
	}
}

type createDatasetInput struct {
	ID string `json:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
}

type createDatasetOutput struct {
	ID string `json:"datasetId"`
}

// createDataset returns the business account's dataset, which is made if there is none.
func (s server) createDataset(ctx context.Context, in *createDatasetInput) (*createDatasetOutput, error) {
	a, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	id, err := s.Datasets.CreateDataset(ctx, a)
	if err != nil {
		return nil, err
	}
	return &createDatasetOutput{id}, nil
}

type sendConversionsInput struct {
	ID        string `json:"id" required:"true" len:"1..115" pattern:".*(^waba-.*$)|(^arn:.*:waba/[0-9a-zA-Z]+$).*" match:"waba-.*|arn:.*:waba/(waba-)?[0-9a-zA-Z]+"`
	DatasetID string `json:"datasetId" required:"true" len:"10..20" pattern:"[0-9]+"`
	Data      []byte `json:"eventData" required:"true" len:"1..1024000" sensitive:"true"`
}

type sendConversionsOutput struct {
	RequestID string `json:"requestId"`
}

func (s server) sendConversions(ctx context.Context, in *sendConversionsInput) (*sendConversionsOutput, error) {
	body, err := conversions(in.Data)
	if err != nil {
		return nil, err
	}
	a, err := s.access(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	id, err := s.Datasets.SendConversions(ctx, a, in.DatasetID, body)
	if err != nil {
		return nil, err
	}
	if id == "" {
		id = awsapi.From(ctx).ID
	}
	return &sendConversionsOutput{id}, nil
}

// conversions brings event data into the form Meta takes, {"data":[…]}. AWS does not say which form it expects: that one, a list
// of events and a single event are understood.
func conversions(raw []byte) (json.RawMessage, error) {
	raw = bytes.TrimSpace(raw)
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil && len(raw) > 0 && raw[0] == '[' {
		return wrapData(raw), nil
	}
	var event map[string]json.RawMessage
	switch err := json.Unmarshal(raw, &event); {
	case err != nil || event == nil:
		return nil, refuse("eventData must be a JSON object or list of conversion events.")
	case event["data"] == nil:
		return wrapData(append(append([]byte{'['}, raw...), ']')), nil
	case json.Unmarshal(event["data"], &list) != nil:
		return nil, refuse("eventData: data must be a list of conversion events.")
	default:
		return raw, nil
	}
}

func wrapData(list []byte) json.RawMessage {
	return append(append([]byte(`{"data":`), list...), '}')
}

type putPublicKeyInput struct {
	PhoneNumberID string `json:"originationPhoneNumberId" required:"true" len:"1..115" pattern:".*(^phone-number-id-.*$)|(^arn:.*:phone-number-id/[0-9a-zA-Z]+$).*" match:"phone-number-id-.*|arn:.*:phone-number-id/(phone-number-id-)?[0-9a-zA-Z]+"`
	PEM           string `json:"businessPublicKey" len:"1..8192"`
	KMSKeyARN     string `json:"kmsKeyArn" len:"1..256" pattern:"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key/.+|alias/.+)"`
}

// putPublicKey stores a number's key, given in PEM or by the ARN of a key in KMS.
func (s server) putPublicKey(ctx context.Context, in *putPublicKeyInput) (*struct{}, error) {
	text := in.PEM
	switch {
	case (in.PEM == "") == (in.KMSKeyARN == ""):
		return nil, refuse("Exactly one of businessPublicKey and kmsKeyArn must be given.")
	case in.KMSKeyARN != "" && s.KMS == nil:
		return nil, refuse("kmsKeyArn cannot be used: the setting kms.endpoint of this installation is empty. Set it, or read the key's public part with `aws kms get-public-key` and give it as businessPublicKey in PEM.")
	case in.KMSKeyARN == "":
		if err := checkPublicKey(text); err != nil {
			return nil, err
		}
	}
	line, err := s.line(ctx, in.PhoneNumberID)
	if err != nil {
		return nil, err
	}
	if in.KMSKeyARN != "" { // not before the number is known to be the caller's
		if text, err = s.KMS.PublicKey(ctx, line.AccountID, in.KMSKeyARN); err != nil {
			return nil, err
		}
		if checkPublicKey(text) != nil {
			return nil, fault.New(fault.Dependency, "AWS KMS did not answer with an RSA key of 2048 bits.")
		}
	}
	return new(struct{}), s.PublicKeys.SetPublicKey(ctx, line, text)
}

// checkPublicKey admits RSA keys of 2048 bits in PEM (Meta).
func checkPublicKey(text string) error {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "PUBLIC KEY" || len(bytes.TrimSpace(rest)) > 0 {
		return refuse("businessPublicKey must be one public key in PEM, which begins with -----BEGIN PUBLIC KEY-----.")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	key, ok := parsed.(*rsa.PublicKey)
	if err != nil || !ok || key.N.BitLen() != 2048 {
		return refuse("businessPublicKey must be an RSA key of 2048 bits.")
	}
	return nil
}

type getPublicKeyInput struct {
	PhoneNumberID string `query:"originationPhoneNumberId" required:"true" len:"1..115" pattern:".*(^phone-number-id-.*$)|(^arn:.*:phone-number-id/[0-9a-zA-Z]+$).*" match:"phone-number-id-.*|arn:.*:phone-number-id/(phone-number-id-)?[0-9a-zA-Z]+"`
}

type getPublicKeyOutput struct {
	PEM       string `json:"businessPublicKey"`
	Signature string `json:"businessPublicKeySignatureStatus,omitempty"`
}

func (s server) getPublicKey(ctx context.Context, in *getPublicKeyInput) (*getPublicKeyOutput, error) {
	line, err := s.line(ctx, in.PhoneNumberID)
	if err != nil {
		return nil, err
	}
	key, signature, err := s.PublicKeys.PublicKey(ctx, line)
	if err != nil {
		return nil, err
	}
	return &getPublicKeyOutput{key, signature}, nil
}
