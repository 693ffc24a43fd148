package sim

import (
	"net/http"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// nodeKind is what the first segment of a path names.
type nodeKind uint8

const (
	nodeRoot nodeKind = iota // no object: /me, /debug_token
	nodeFlow
	nodeDataset
	nodeAccount
	nodeNumber
	nodeTemplate
	nodeMedia
	nodeApp
	nodeUpload // a resumable upload
)

func (k nodeKind) String() string {
	return [...]string{"Root", "WhatsAppFlow", "AdsDataset", "WhatsAppBusinessAccount", "WhatsAppBusinessPhoneNumber", "WhatsAppMessageTemplate", "WhatsAppMedia", "Application",
		"UploadSession"}[k]
}

// Permissions.
const (
	scopeMessaging  = "whatsapp_business_messaging"
	scopeManagement = "whatsapp_business_management"
)

// edge is a row of the Graph API: what a method does on an edge of a kind of node.
type edge struct {
	method string
	node   nodeKind
	name   string // "" is the node itself
	scope  string // permission the token must have; "" asks for any valid token
	// do runs under Sim.mu. It answers with a value to render or with a refusal.
	do func(*Sim, *call) (any, *graph.Error)
	// slow runs instead of do, without the lock, for rows that talk to the network.
	slow func(*Sim, *call) (any, *graph.Error)
}

// edges is the whole Graph API of the simulator.
var edges = []edge{
	{method: http.MethodPost, node: nodeNumber, name: "messages", scope: scopeMessaging, do: sendMessage},
	{method: http.MethodPost, node: nodeNumber, name: "marketing_messages", scope: scopeMessaging, do: sendMarketing},

	{method: http.MethodGet, node: nodeNumber, scope: scopeManagement, do: getNumber},
	{method: http.MethodPost, node: nodeNumber, scope: scopeManagement, slow: changeNumber},
	{method: http.MethodGet, node: nodeAccount, scope: scopeManagement, do: getAccount},
	{method: http.MethodGet, node: nodeAccount, name: "phone_numbers", scope: scopeManagement, do: listNumbers},
	{method: http.MethodPost, node: nodeAccount, name: "phone_numbers", scope: scopeManagement, do: addNumber},
	{method: http.MethodPost, node: nodeNumber, name: "request_code", scope: scopeManagement, do: requestCode},
	{method: http.MethodPost, node: nodeNumber, name: "verify_code", scope: scopeManagement, do: verifyCode},
	{method: http.MethodPost, node: nodeNumber, name: "register", scope: scopeManagement, do: register},
	{method: http.MethodPost, node: nodeNumber, name: "deregister", scope: scopeManagement, do: deregister},
	{method: http.MethodGet, node: nodeNumber, name: "settings", scope: scopeManagement, do: getNumberSettings},
	{method: http.MethodPost, node: nodeNumber, name: "settings", scope: scopeManagement, do: setNumberSettings},
	{method: http.MethodGet, node: nodeNumber, name: "whatsapp_business_profile", scope: scopeMessaging, do: getProfile},
	{method: http.MethodPost, node: nodeNumber, name: "whatsapp_business_profile", scope: scopeMessaging, do: setProfile},
	{method: http.MethodPost, node: nodeAccount, name: "message_templates", scope: scopeManagement, do: createTemplate},
	{method: http.MethodGet, node: nodeAccount, name: "message_templates", scope: scopeManagement, do: listTemplates},
	{method: http.MethodDelete, node: nodeAccount, name: "message_templates", scope: scopeManagement, do: deleteTemplates},
	{method: http.MethodPost, node: nodeAccount, name: "upsert_message_templates", scope: scopeManagement, do: upsertTemplates},
	{method: http.MethodGet, node: nodeAccount, name: "message_template_previews", scope: scopeManagement, do: previewTemplates},
	{method: http.MethodGet, node: nodeAccount, name: "message_template_library", scope: scopeManagement, do: listLibrary},
	{method: http.MethodGet, node: nodeRoot, name: "message_template_library", scope: scopeManagement, do: listLibrary},
	{method: http.MethodGet, node: nodeTemplate, scope: scopeManagement, do: getTemplate},
	{method: http.MethodPost, node: nodeTemplate, scope: scopeManagement, do: editTemplate},
	{method: http.MethodPost, node: nodeTemplate, name: "unpause", scope: scopeManagement, do: unpauseTemplate},

	{method: http.MethodGet, node: nodeAccount, name: "subscribed_apps", scope: scopeManagement, do: listSubscribedApps},
	{method: http.MethodPost, node: nodeAccount, name: "subscribed_apps", scope: scopeManagement, slow: subscribeApp},
	{method: http.MethodDelete, node: nodeAccount, name: "subscribed_apps", scope: scopeManagement, do: unsubscribeApp},

	{method: http.MethodPost, node: nodeNumber, name: "media", scope: scopeMessaging, do: uploadMedia},
	{method: http.MethodGet, node: nodeMedia, scope: scopeMessaging, do: getMedia},
	{method: http.MethodDelete, node: nodeMedia, scope: scopeMessaging, do: deleteMedia},
	{method: http.MethodPost, node: nodeApp, name: "uploads", scope: scopeManagement, do: beginUpload},
	{method: http.MethodGet, node: nodeUpload, name: "upload", scope: scopeManagement, do: uploadState},
	{method: http.MethodPost, node: nodeUpload, name: "upload", scope: scopeManagement, do: continueUpload},

	{method: http.MethodPost, node: nodeAccount, name: "flows", scope: scopeManagement, slow: createFlow},
	{method: http.MethodGet, node: nodeAccount, name: "flows", scope: scopeManagement, do: listFlows},
	{method: http.MethodGet, node: nodeFlow, scope: scopeManagement, do: getFlow},
	{method: http.MethodPost, node: nodeFlow, scope: scopeManagement, do: updateFlow},
	{method: http.MethodDelete, node: nodeFlow, scope: scopeManagement, do: deleteFlow},
	{method: http.MethodGet, node: nodeFlow, name: "assets", scope: scopeManagement, do: listFlowAssets},
	{method: http.MethodPost, node: nodeFlow, name: "assets", scope: scopeManagement, slow: updateFlowAssets},
	{method: http.MethodPost, node: nodeFlow, name: "publish", scope: scopeManagement, do: publishFlow},
	{method: http.MethodPost, node: nodeFlow, name: "deprecate", scope: scopeManagement, do: deprecateFlow},

	{method: http.MethodPost, node: nodeNumber, name: "calls", scope: scopeMessaging, do: postCall},
	{method: http.MethodGet, node: nodeNumber, name: "call_permissions", scope: scopeMessaging, do: getCallPermissions},

	{method: http.MethodPost, node: nodeAccount, name: "dataset", scope: scopeEvents, do: createDataset},
	{method: http.MethodGet, node: nodeAccount, name: "dataset", scope: scopeEvents, do: getDataset},
	{method: http.MethodPost, node: nodeDataset, name: "events", scope: scopeEvents, do: postEvents},

	{method: http.MethodPost, node: nodeNumber, name: "whatsapp_business_encryption", scope: scopeMessaging, do: putPublicKey},
	{method: http.MethodGet, node: nodeNumber, name: "whatsapp_business_encryption", scope: scopeMessaging, do: getPublicKey},

	{method: http.MethodGet, node: nodeRoot, name: "me", do: getMe},
	{method: http.MethodGet, node: nodeRoot, name: "debug_token", do: debugToken},
}

type edgeKey struct {
	method string
	node   nodeKind
	name   string
}

var edgeIndex = func() map[edgeKey]*edge {
	index := make(map[edgeKey]*edge, len(edges))
	for i := range edges {
		e := &edges[i]
		index[edgeKey{e.method, e.node, e.name}] = e
	}
	return index
}()

// isEdge reports whether any method serves an edge of that name, which tells an unknown path from an unsupported call.
func isEdge(node nodeKind, name string) bool {
	for i := range edges {
		if edges[i].node == node && edges[i].name == name {
			return true
		}
	}
	return false
}
