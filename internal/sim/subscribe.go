package sim

import (
	"net/http"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// maxCallback is the longest override address Meta takes.
const maxCallback = 200

func listSubscribedApps(s *Sim, c *call) (any, *graph.Error) {
	data := []object{}
	if c.account.subscribed {
		o := object{"whatsapp_business_api_data": object{"id": s.o.AppID, "name": s.world.AppName,
			"link": "https://www.facebook.com/games/?app_id=" + s.o.AppID}}
		if c.account.callback != "" {
			o["override_callback_uri"] = c.account.callback
		}
		data = append(data, o)
	}
	return object{"data": data}, nil
}

// subscribeApp subscribes the app to the account's webhooks, to another address when one is given. Without an address an
// earlier override is removed.
func subscribeApp(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	uri, _ := c.params.String("override_callback_uri")
	token, _ := c.params.String("verify_token")
	if err := s.verify(c, uri, token); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.st.accounts[c.account.ID]; a != nil {
		a.subscribed, a.callback = true, uri
	}
	return success, nil
}

func unsubscribeApp(_ *Sim, c *call) (any, *graph.Error) {
	c.account.subscribed, c.account.callback = false, ""
	return success, nil
}

// setNumberCallback is POST /{number} with webhook_configuration: an address for one number's messages; "" removes it.
func setNumberCallback(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	config, ok := c.params["webhook_configuration"].(map[string]any)
	if !ok {
		return nil, graph.Param("The parameter webhook_configuration is required.")
	}
	uri, _ := graph.Scalar(config["override_callback_uri"])
	token, _ := graph.Scalar(config["verify_token"])
	if err := s.verify(c, uri, token); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.st.numbers[c.number.ID]; n != nil {
		n.callback = uri
	}
	return success, nil
}

// verify makes the handshake with an override address before it is accepted; "" needs none.
func (s *Sim) verify(c *call, uri, token string) *graph.Error {
	switch {
	case uri == "":
		return nil
	case utf8.RuneCountInString(uri) > maxCallback:
		return graph.Param("Param override_callback_uri must be at most %d characters long.", maxCallback)
	case token == "":
		return graph.Param("The parameter verify_token is required.")
	}
	if err := s.courier.Verify(c.r.Context(), uri, token); err != nil {
		return &graph.Error{HTTP: http.StatusBadRequest, Code: 2200,
			Message: "(#2200) Callback verification failed with the following errors: " + err.Error()}
	}
	return nil
}
