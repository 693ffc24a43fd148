// Package gosdk holds the running service to what AWS's SDK for Go expects of the social-messaging API: every operation it knows,
// with its result and the errors that its model names. The test one folder up starts the nodes and names them in the environment.
package gosdk

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sm "github.com/aws/aws-sdk-go-v2/service/socialmessaging"
	"github.com/aws/aws-sdk-go-v2/service/socialmessaging/types"
)

const (
	wabaID  = "waba-00000000000000000000000000000001"
	phoneID = "phone-number-id-00000000000000000000000000000001"
	arnHead = "arn:aws:social-messaging:us-east-1:000000000000:"
	topic   = "arn:aws:sns:us-east-1:000000000000:whatsapp-events"
	bucket  = "whatsapp-media"
)

var (
	wabaARN  = arnHead + "waba/00000000000000000000000000000001"
	phoneARN = arnHead + "phone-number-id/00000000000000000000000000000001"
)

// again calls again only when the connection broke: the SDK closes the body of a request that is answered at once, and net/http may
// then drop the connection before the answer is read.
func again() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.Retryables = []retry.IsErrorRetryable{retry.RetryableConnectionError{}}
	})
}

// client returns a client of the node that a variable names. It takes the first answer.
func client(t *testing.T, variable string) *sm.Client {
	t.Helper()
	url := os.Getenv(variable)
	if url == "" {
		t.Skip(variable + " is not set: run the tests one folder up")
	}
	return sm.NewFromConfig(aws.Config{Region: os.Getenv("AWS_REGION"), BaseEndpoint: &url,
		Retryer:     again,
		Credentials: credentials.NewStaticCredentialsProvider(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), "")})
}

func p[T any](v T) *T { return &v }

// refused fails the test unless err is an error of the SDK's type E whose text has all the words.
func refused[E error](t *testing.T, what string, err error, words ...string) {
	t.Helper()
	e, ok := errors.AsType[E](err)
	if !ok {
		t.Errorf("%s: %v, want a %s", what, err, reflect.TypeFor[E]())
		return
	}
	for _, w := range words {
		if !strings.Contains(e.Error(), w) {
			t.Errorf("%s: %v, want %q in it", what, e, w)
		}
	}
}

func done(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// control calls the simulated WhatsApp.
func control(t *testing.T, method, path, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, os.Getenv("WAXWING_SIMULATOR_URL")+path, strings.NewReader(body))
	done(t, path, err)
	resp, err := http.DefaultClient.Do(req)
	done(t, path, err)
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s %v", path, resp.StatusCode, text, err)
	}
}

// failing has WhatsApp answer the next request with an error.
func failing(t *testing.T, code string) {
	t.Helper()
	control(t, "PUT", "/sim/v1/faults", `{"rules":[{"match":{},"when":{"next":1},"effect":{"code":`+code+`}}]}`)
	t.Cleanup(func() { control(t, "DELETE", "/sim/v1/faults", "") })
}

// What the SDK can call is served, and what is served beyond that is listed.
func TestOperations(t *testing.T) {
	served := strings.Split(os.Getenv("WAXWING_OPERATIONS"), ",")
	var beyond []string
	known := map[string]bool{}
	for m := range reflect.TypeFor[*sm.Client]().Methods() {
		if m.Name != "Options" {
			known[m.Name] = true
			if !slices.Contains(served, m.Name) {
				t.Errorf("the SDK can call %s, which is not served", m.Name)
			}
		}
	}
	for _, name := range served {
		if !known[name] {
			beyond = append(beyond, name)
		}
	}
	t.Logf("the SDK knows %d operations; served beyond: %v", len(known), beyond)
	if len(known) < 21 {
		t.Errorf("found only %d operations in the SDK's client", len(known))
	}
}

func TestAccounts(t *testing.T) {
	c, ctx := client(t, "AWS_ENDPOINT_URL"), t.Context()
	list, err := c.ListLinkedWhatsAppBusinessAccounts(ctx, &sm.ListLinkedWhatsAppBusinessAccountsInput{MaxResults: p[int32](1)})
	done(t, "list", err)
	if len(list.LinkedAccounts) != 1 || *list.LinkedAccounts[0].Id != wabaID || list.LinkedAccounts[0].RegistrationStatus != types.RegistrationStatusComplete {
		t.Errorf("list = %+v", list.LinkedAccounts)
	}
	_, err = c.ListLinkedWhatsAppBusinessAccounts(ctx, &sm.ListLinkedWhatsAppBusinessAccountsInput{NextToken: p("invented")})
	refused[*types.InvalidParametersException](t, "an invented token", err)
	_, err = c.ListLinkedWhatsAppBusinessAccounts(ctx, &sm.ListLinkedWhatsAppBusinessAccountsInput{MaxResults: p[int32](101)})
	refused[*types.ValidationException](t, "too long a page", err, "maxResults")
	for _, id := range []string{wabaID, wabaARN} {
		got, err := c.GetLinkedWhatsAppBusinessAccount(ctx, &sm.GetLinkedWhatsAppBusinessAccountInput{Id: &id})
		done(t, "get", err)
		if *got.Account.Arn != wabaARN || len(got.Account.PhoneNumbers) != 1 || got.Account.LinkDate.IsZero() {
			t.Errorf("%s = %+v", id, got.Account)
		}
	}
	_, err = c.GetLinkedWhatsAppBusinessAccount(ctx, &sm.GetLinkedWhatsAppBusinessAccountInput{Id: p("waba-1")})
	refused[*types.ResourceNotFoundException](t, "no account", err, "waba-1")
	_, err = c.GetLinkedWhatsAppBusinessAccount(ctx, &sm.GetLinkedWhatsAppBusinessAccountInput{Id: p(strings.Replace(wabaARN, "000000000000", "111122223333", 1))})
	refused[*types.ResourceNotFoundException](t, "another account's", err)
	for _, id := range []string{phoneID, phoneARN} {
		got, err := c.GetLinkedWhatsAppBusinessAccountPhoneNumber(ctx, &sm.GetLinkedWhatsAppBusinessAccountPhoneNumberInput{Id: &id})
		done(t, "number", err)
		if *got.PhoneNumber.PhoneNumberId != phoneID || *got.LinkedWhatsAppBusinessAccountId != wabaID {
			t.Errorf("%s = %+v", id, got)
		}
	}
	_, err = c.GetLinkedWhatsAppBusinessAccountPhoneNumber(ctx, &sm.GetLinkedWhatsAppBusinessAccountPhoneNumberInput{Id: p("phone-number-id-1")})
	refused[*types.ResourceNotFoundException](t, "no number", err)

	put := func(id string, arns ...string) error {
		in := &sm.PutWhatsAppBusinessAccountEventDestinationsInput{Id: &id, EventDestinations: []types.WhatsAppBusinessAccountEventDestination{}}
		for _, arn := range arns {
			in.EventDestinations = append(in.EventDestinations, types.WhatsAppBusinessAccountEventDestination{EventDestinationArn: &arn})
		}
		_, err := c.PutWhatsAppBusinessAccountEventDestinations(ctx, in)
		return err
	}
	done(t, "no destination", put(wabaARN))
	done(t, "a destination", put(wabaID, topic))
	refused[*types.InvalidParametersException](t, "a FIFO topic", put(wabaID, topic+".fifo"), "FIFO")
	refused[*types.InvalidParametersException](t, "no account", put("waba-1", topic))
	refused[*types.ValidationException](t, "two destinations", put(wabaID, topic, topic), "eventDestinations")
}

func TestTags(t *testing.T) {
	c, ctx := client(t, "AWS_ENDPOINT_URL"), t.Context()
	for _, arn := range []string{wabaARN, phoneARN} {
		tag, err := c.TagResource(ctx, &sm.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: p("team"), Value: p("shop")}}})
		done(t, "tag", err)
		list, err := c.ListTagsForResource(ctx, &sm.ListTagsForResourceInput{ResourceArn: &arn})
		done(t, "list", err)
		if *tag.StatusCode != 200 || len(list.Tags) != 1 || *list.Tags[0].Value != "shop" {
			t.Errorf("%s has %+v", arn, list.Tags)
		}
		untag, err := c.UntagResource(ctx, &sm.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"team"}})
		done(t, "untag", err)
		if *untag.StatusCode != 200 {
			t.Errorf("untag answered %d", *untag.StatusCode)
		}
	}
	missing := arnHead + "waba/1"
	_, err := c.TagResource(ctx, &sm.TagResourceInput{ResourceArn: &missing, Tags: []types.Tag{{Key: p("a")}}})
	refused[*types.InvalidParametersException](t, "tag nothing", err)
	_, err = c.UntagResource(ctx, &sm.UntagResourceInput{ResourceArn: &missing, TagKeys: []string{"a"}})
	refused[*types.InvalidParametersException](t, "untag nothing", err)
	_, err = c.ListTagsForResource(ctx, &sm.ListTagsForResourceInput{ResourceArn: &missing})
	refused[*types.InvalidParametersException](t, "list of nothing", err)
	_, err = c.TagResource(ctx, &sm.TagResourceInput{ResourceArn: &wabaARN, Tags: []types.Tag{{Key: p(strings.Repeat("k", 129))}}})
	refused[*types.ValidationException](t, "too long a key", err, "tags")
}

func TestSend(t *testing.T) {
	c, ctx := client(t, "AWS_ENDPOINT_URL"), t.Context()
	send := func(from, version, object string) (*sm.SendWhatsAppMessageOutput, error) {
		return c.SendWhatsAppMessage(ctx, &sm.SendWhatsAppMessageInput{OriginationPhoneNumberId: &from, MetaApiVersion: &version, Message: []byte(object)})
	}
	const hello = `{"messaging_product":"whatsapp","to":"+14255550150","type":"template","template":{"name":"hello_world","language":{"code":"en_US"}}}`
	for _, from := range []string{phoneID, phoneARN} {
		out, err := send(from, "v20.0", hello)
		done(t, "send", err)
		if len(*out.MessageId) != 36 {
			t.Errorf("messageId %s", *out.MessageId)
		}
	}
	_, err := send("phone-number-id-1", "v20.0", hello)
	refused[*types.ResourceNotFoundException](t, "no number", err)
	_, err = send(phoneID, "v20.0", `{"to":"+14255550150"}`)
	refused[*types.InvalidParametersException](t, "no product", err, "messaging_product")
	_, err = send(phoneID, "twenty", hello)
	refused[*types.InvalidParametersException](t, "no version", err, "metaApiVersion")
	_, err = send(phoneID, "v20.0", "")
	refused[*types.ValidationException](t, "no message", err, "message")
}

func TestTemplates(t *testing.T) {
	c, ctx := client(t, "AWS_ENDPOINT_URL"), t.Context()
	definition := func(name string) []byte {
		b, err := json.Marshal(map[string]any{"name": name, "language": "en_US", "category": "UTILITY",
			"components": []any{map[string]string{"type": "BODY", "text": "Your order has left our warehouse today, " + strings.ReplaceAll(name, "_", " ") + "."}}})
		done(t, "marshal", err)
		return b
	}
	create := func(id string, definition []byte) (*sm.CreateWhatsAppMessageTemplateOutput, error) {
		return c.CreateWhatsAppMessageTemplate(ctx, &sm.CreateWhatsAppMessageTemplateInput{Id: &id, TemplateDefinition: definition})
	}
	made, err := create(wabaARN, definition("go_order"))
	done(t, "create", err)
	if *made.TemplateStatus != "PENDING" || *made.Category != "UTILITY" {
		t.Errorf("created %+v", made)
	}
	got, err := c.GetWhatsAppMessageTemplate(ctx, &sm.GetWhatsAppMessageTemplateInput{Id: p(wabaID), MetaTemplateId: made.MetaTemplateId})
	done(t, "get", err)
	if !strings.Contains(*got.Template, `"name":"go_order"`) {
		t.Errorf("template %s", *got.Template)
	}
	list, err := c.ListWhatsAppMessageTemplates(ctx, &sm.ListWhatsAppMessageTemplatesInput{Id: p(wabaID), MaxResults: p[int32](100)})
	done(t, "list", err)
	if !slices.ContainsFunc(list.Templates, func(s types.TemplateSummary) bool { return *s.TemplateName == "go_order" }) {
		t.Errorf("list = %+v", list.Templates)
	}
	library, err := c.ListWhatsAppTemplateLibrary(ctx, &sm.ListWhatsAppTemplateLibraryInput{Id: p(wabaID), MaxResults: p[int32](1)})
	done(t, "library", err)
	if len(library.MetaLibraryTemplates) != 1 || library.NextToken == nil {
		t.Fatalf("library = %+v", library)
	}
	chosen := library.MetaLibraryTemplates[0]
	fromLibrary := func(id string, name string) (*sm.CreateWhatsAppMessageTemplateFromLibraryOutput, error) {
		in := &sm.CreateWhatsAppMessageTemplateFromLibraryInput{Id: &id, MetaLibraryTemplate: &types.MetaLibraryTemplate{LibraryTemplateName: &name,
			TemplateCategory: chosen.TemplateCategory, TemplateLanguage: p("en_US"), TemplateName: p("go_from_library")}}
		for _, b := range chosen.TemplateButtons {
			button := types.LibraryTemplateButtonInput{Type: b.Type}
			switch *b.Type {
			case "URL":
				button.Url = map[string]string{"base_url": "https://example.com/{{1}}", "url_suffix_example": "https://example.com/1"}
			case "PHONE_NUMBER":
				button.PhoneNumber = p("+15550100123")
			}
			in.MetaLibraryTemplate.LibraryTemplateButtonInputs = append(in.MetaLibraryTemplate.LibraryTemplateButtonInputs, button)
		}
		return c.CreateWhatsAppMessageTemplateFromLibrary(ctx, in)
	}
	_, err = fromLibrary(wabaID, *chosen.TemplateName)
	done(t, "from the library", err)
	update := func(id, template string, components []byte) error {
		_, err := c.UpdateWhatsAppMessageTemplate(ctx, &sm.UpdateWhatsAppMessageTemplateInput{Id: &id, MetaTemplateId: &template, TemplateComponents: components})
		return err
	}
	control(t, "POST", "/sim/v1/templates/"+*made.MetaTemplateId+"/review", `{"decision":"APPROVED"}`)
	done(t, "update", update(wabaID, *made.MetaTemplateId, []byte(`[{"type":"BODY","text":"Your order has left our warehouse this morning."}]`)))
	remove := func(id, name string) error {
		_, err := c.DeleteWhatsAppMessageTemplate(ctx, &sm.DeleteWhatsAppMessageTemplateInput{Id: &id, TemplateName: &name, DeleteAllLanguages: p(true)})
		return err
	}
	done(t, "delete", remove(wabaARN, "go_from_library"))

	calls := map[string]func(id string) error{
		"create": func(id string) error { _, err := create(id, definition("go_other")); return err },
		"get": func(id string) error {
			_, err := c.GetWhatsAppMessageTemplate(ctx, &sm.GetWhatsAppMessageTemplateInput{Id: &id, MetaTemplateId: made.MetaTemplateId})
			return err
		},
		"list": func(id string) error {
			_, err := c.ListWhatsAppMessageTemplates(ctx, &sm.ListWhatsAppMessageTemplatesInput{Id: &id})
			return err
		},
		"library": func(id string) error {
			_, err := c.ListWhatsAppTemplateLibrary(ctx, &sm.ListWhatsAppTemplateLibraryInput{Id: &id})
			return err
		},
		"from the library": func(id string) error { _, err := fromLibrary(id, *chosen.TemplateName); return err },
		"update": func(id string) error {
			return update(id, *made.MetaTemplateId, []byte(`[{"type":"BODY","text":"Your order has left our warehouse this evening."}]`))
		},
		"delete": func(id string) error { return remove(id, "go_order") },
	}
	for name, call := range calls {
		refused[*types.ResourceNotFoundException](t, name+": no account", call("waba-1"))
		refused[*types.ValidationException](t, name+": a number", call(phoneID), "id")
		t.Run(name+" while Meta is out of order", func(t *testing.T) {
			failing(t, "2")
			refused[*types.DependencyException](t, name, call(wabaID))
		})
	}
	_, err = create(wabaID, []byte("hello"))
	refused[*types.InvalidParametersException](t, "no JSON", err)
	_, err = c.GetWhatsAppMessageTemplate(ctx, &sm.GetWhatsAppMessageTemplateInput{Id: p(wabaID), MetaTemplateId: p("4711")})
	refused[*types.ResourceNotFoundException](t, "no template", err)
	_, err = c.ListWhatsAppMessageTemplates(ctx, &sm.ListWhatsAppMessageTemplatesInput{Id: p(wabaID), NextToken: p("invented")})
	refused[*types.InvalidParametersException](t, "an invented token", err)
	_, err = c.ListWhatsAppTemplateLibrary(ctx, &sm.ListWhatsAppTemplateLibraryInput{Id: p(wabaID), Filters: map[string]string{"colour": "red"}})
	refused[*types.InvalidParametersException](t, "an unknown filter", err)
	_, err = fromLibrary(wabaID, "no_such_entry")
	refused[*types.InvalidParametersException](t, "no such entry", err)
	_, err = c.UpdateWhatsAppMessageTemplate(ctx, &sm.UpdateWhatsAppMessageTemplateInput{Id: p(wabaID), MetaTemplateId: made.MetaTemplateId})
	refused[*types.InvalidParametersException](t, "no change", err)
	_, err = c.DeleteWhatsAppMessageTemplate(ctx, &sm.DeleteWhatsAppMessageTemplateInput{Id: p(wabaID), TemplateName: p("go_order")})
	refused[*types.InvalidParametersException](t, "which language", err)
	done(t, "delete", remove(wabaID, "go_order"))
}

func TestMedia(t *testing.T) {
	c, ctx := client(t, "AWS_ENDPOINT_URL"), t.Context()
	file := &types.S3File{BucketName: p(bucket), Key: p("gosdk/picture.jpeg")} // the test one folder up has put it there
	post := func(from string, f *types.S3File) (*sm.PostWhatsAppMessageMediaOutput, error) {
		return c.PostWhatsAppMessageMedia(ctx, &sm.PostWhatsAppMessageMediaInput{OriginationPhoneNumberId: &from, SourceS3File: f})
	}
	posted, err := post(phoneARN, file)
	done(t, "post", err)
	got, err := c.GetWhatsAppMessageMedia(ctx, &sm.GetWhatsAppMessageMediaInput{MediaId: posted.MediaId, OriginationPhoneNumberId: p(phoneID),
		DestinationS3File: &types.S3File{BucketName: p(bucket), Key: p("gosdk/in/")}})
	done(t, "get", err)
	if *got.MimeType != "image/jpeg" || *got.FileSize == 0 {
		t.Errorf("got %+v", got)
	}
	sample, err := c.CreateWhatsAppMessageTemplateMedia(ctx, &sm.CreateWhatsAppMessageTemplateMediaInput{Id: p(wabaID), SourceS3File: file})
	done(t, "sample", err)
	if *sample.MetaHeaderHandle == "" {
		t.Error("no handle")
	}

	metadata := func(from, id string) error {
		_, err := c.GetWhatsAppMessageMedia(ctx, &sm.GetWhatsAppMessageMediaInput{MediaId: &id, OriginationPhoneNumberId: &from, MetadataOnly: p(true)})
		return err
	}
	remove := func(from, id string) error {
		_, err := c.DeleteWhatsAppMessageMedia(ctx, &sm.DeleteWhatsAppMessageMediaInput{MediaId: &id, OriginationPhoneNumberId: &from})
		return err
	}
	calls := map[string]func(from string) error{
		"post":   func(from string) error { _, err := post(from, file); return err },
		"get":    func(from string) error { return metadata(from, *posted.MediaId) },
		"delete": func(from string) error { return remove(from, *posted.MediaId) },
	}
	for name, call := range calls {
		refused[*types.ResourceNotFoundException](t, name+": no number", call("phone-number-id-1"))
		t.Run(name+" while Meta is out of order", func(t *testing.T) {
			failing(t, "2")
			refused[*types.DependencyException](t, name, call(phoneID))
		})
		t.Run(name+" with a token that Meta refuses", func(t *testing.T) {
			failing(t, "190")
			refused[*types.AccessDeniedByMetaException](t, name, call(phoneID))
		})
	}
	_, err = post(phoneID, nil)
	refused[*types.InvalidParametersException](t, "no source", err)
	_, err = post(phoneID, &types.S3File{BucketName: p(bucket), Key: p("never")})
	refused[*types.ResourceNotFoundException](t, "no object", err)
	refused[*types.ResourceNotFoundException](t, "no medium", metadata(phoneID, "4711"))
	refused[*types.ResourceNotFoundException](t, "no medium to delete", remove(phoneID, "4711"))
	_, err = c.GetWhatsAppMessageMedia(ctx, &sm.GetWhatsAppMessageMediaInput{MediaId: posted.MediaId, OriginationPhoneNumberId: p(phoneID)})
	refused[*types.InvalidParametersException](t, "no destination", err)
	_, err = c.CreateWhatsAppMessageTemplateMedia(ctx, &sm.CreateWhatsAppMessageTemplateMediaInput{Id: p("waba-1"), SourceS3File: file})
	refused[*types.ResourceNotFoundException](t, "a sample of no account", err)
	_, err = c.CreateWhatsAppMessageTemplateMedia(ctx, &sm.CreateWhatsAppMessageTemplateMediaInput{Id: p(wabaID)})
	refused[*types.InvalidParametersException](t, "a sample of nothing", err)
	done(t, "delete", remove(phoneARN, *posted.MediaId))
}

// A business account is linked in both phases, and unlinked again.
func TestSignUp(t *testing.T) {
	c, ctx := client(t, "WAXWING_SIGNUP_URL"), t.Context()
	associate := func(in *sm.AssociateWhatsAppBusinessAccountInput) (*sm.AssociateWhatsAppBusinessAccountOutput, error) {
		return c.AssociateWhatsAppBusinessAccount(ctx, in)
	}
	_, err := associate(&sm.AssociateWhatsAppBusinessAccountInput{})
	refused[*types.InvalidParametersException](t, "neither phase", err, "signupCallback")
	first, err := associate(&sm.AssociateWhatsAppBusinessAccountInput{SignupCallback: &types.WhatsAppSignupCallback{AccessToken: p("EAAWAXWINGNEWWABA")}})
	done(t, "begin", err)
	pending := first.SignupCallbackResult.LinkedAccountsWithIncompleteSetup["1200000000000002"]
	if pending.RegistrationStatus != types.RegistrationStatusIncomplete || len(pending.UnregisteredWhatsAppPhoneNumbers) != 1 {
		t.Fatalf("pending = %+v", pending)
	}
	finish := &sm.AssociateWhatsAppBusinessAccountInput{SetupFinalization: &types.WhatsAppSetupFinalization{
		AssociateInProgressToken: first.SignupCallbackResult.AssociateInProgressToken, Waba: &types.WabaSetupFinalization{Id: pending.WabaId},
		PhoneNumbers: []types.WabaPhoneNumberSetupFinalization{{Id: pending.UnregisteredWhatsAppPhoneNumbers[0].PhoneNumberId, TwoFactorPin: p("123456")}}}}
	last, err := associate(finish)
	done(t, "finish", err)
	if *last.StatusCode != 200 {
		t.Errorf("finished with %d", *last.StatusCode)
	}
	_, err = associate(finish)
	refused[*types.InvalidParametersException](t, "a token used twice", err)
	_, err = associate(&sm.AssociateWhatsAppBusinessAccountInput{SignupCallback: &types.WhatsAppSignupCallback{AccessToken: p(strings.Repeat("x", 1001))}})
	refused[*types.ValidationException](t, "too long a token", err)
	disassociate := func(id string) error {
		_, err := c.DisassociateWhatsAppBusinessAccount(ctx, &sm.DisassociateWhatsAppBusinessAccountInput{Id: &id})
		return err
	}
	done(t, "unlink", disassociate(*pending.WabaId))
	refused[*types.ResourceNotFoundException](t, "unlink again", disassociate(*pending.WabaId))
	refused[*types.ValidationException](t, "unlink a number", disassociate(phoneID))
}

// Every operation has a quota, and says so in the SDK's own type. On this node each may be called once.
func TestThrottled(t *testing.T) {
	c := client(t, "WAXWING_THROTTLED_URL")
	value := reflect.ValueOf(c)
	for m := range reflect.TypeFor[*sm.Client]().Methods() {
		if m.Name == "Options" {
			continue
		}
		in := reflect.New(m.Type.In(2).Elem())
		fill(in.Elem())
		var err error
		for range 2 {
			out := value.MethodByName(m.Name).Call([]reflect.Value{reflect.ValueOf(t.Context()), in})
			err, _ = out[1].Interface().(error)
		}
		refused[*types.ThrottledRequestException](t, m.Name, err)
	}
}

// fill gives an input's members values, so that the SDK sends it.
func fill(v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		if !f.CanSet() {
			continue
		}
		switch f.Kind() {
		case reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
			switch e := f.Elem(); e.Kind() {
			case reflect.String:
				e.SetString("x")
			case reflect.Struct:
				fill(e)
			}
		case reflect.Slice:
			if f.Type().Elem().Kind() == reflect.Uint8 {
				f.SetBytes([]byte("x"))
			} else {
				f.Set(reflect.MakeSlice(f.Type(), 0, 0))
			}
		case reflect.Map:
			f.Set(reflect.MakeMap(f.Type()))
		}
	}
}
