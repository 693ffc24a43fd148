package flowjson

// maxBranches is how many screens one screen may lead to.
const maxBranches = 10

// route is an edge between screens and the value that declares it.
type route struct {
	to *screen
	at *node
}

// checkRoutes checks the routing model: the declared one of a Flow with an endpoint, or the one its navigate actions make.
func (c *checker) checkRoutes(root *node) {
	model := root.get("routing_model")
	switch {
	case model == nil && c.endpoint:
		c.at(missingProperty, root, "Required property 'routing_model' is missing.")
		return
	case model != nil && !c.isKind(model, kindObject):
		return
	}
	if model == nil {
		routes := map[*screen][]route{}
		for _, s := range c.order {
			for _, to := range s.to {
				routes[s] = append(routes[s], route{to, s.get("id")})
			}
		}
		c.checkGraph(root.get("screens"), routes)
		return
	}
	routes, ok := c.declared(model)
	if !ok {
		return
	}
	for _, s := range c.order {
		s.from = map[*screen]bool{} // what is declared counts, not what the actions make
	}
	for from, list := range routes {
		for _, r := range list {
			r.to.from[from] = true
		}
	}
	c.checkGraph(model, routes)
	c.checkCovered(routes)
}

// declared reads a routing model; ok is false when it names screens that do not exist, or leaves some out.
func (c *checker) declared(model *node) (routes map[*screen][]route, ok bool) {
	routes, ok = map[*screen][]route{}, true
	var unknown, missing []string
	var about []*node
	for _, id := range model.names {
		from, list := c.screens[id], model.members[id]
		if from == nil {
			unknown, about = append(unknown, id), append(about, list)
			continue
		}
		if !c.isKind(list, kindArray) {
			ok = false
			continue
		}
		for _, n := range list.items {
			if to := c.screens[n.str()]; to != nil {
				routes[from] = append(routes[from], route{to, n})
				continue
			}
			ok = false
			c.at(invalidRouting, n, "Invalid screen found in the routing model: %s.", n.text)
		}
	}
	for _, s := range c.order {
		if model.get(s.id) == nil {
			missing = append(missing, s.id)
		}
	}
	if len(unknown) > 0 {
		c.add(invalidRouting, about, "Invalid screens found in the routing model: %s.", quoted(unknown))
	}
	if len(missing) > 0 {
		c.at(invalidRouting, model, "Following screens are missing in the routing model: %s.", quoted(missing))
	}
	return routes, ok && len(unknown)+len(missing) == 0
}

// checkGraph holds routes to their shape: forward only, a place to start, everything connected, few branches.
func (c *checker) checkGraph(whole *node, routes map[*screen][]route) {
	entry := false
	for _, s := range c.order {
		entry = entry || len(s.from) == 0
		if len(routes[s]) > maxBranches {
			c.at(invalidRouting, s.node, "Number of branches exceeds the max limit of %d for screen: %s.", maxBranches, s.id)
		}
		for _, r := range routes[s] {
			if r.to == s {
				c.at(invalidRouting, r.at, "Loop detected in the routing model for screens: %s.", s.id)
			}
		}
	}
	if !entry && len(c.order) > 0 {
		c.at(invalidRouting, whole, "No entry screen found in the routing model. Expected a screen with no inbound edges as the entry screen.")
	}
	if c.endpoint {
		c.checkForward(routes)
	}
	if apart := c.disconnected(routes); len(apart) > 0 {
		c.at(invalidRouting, whole, "Following screens are not connected with the rest of the screens: %s. All screens should be connected.", quoted(apart))
	}
}

// checkForward refuses a route back along another one.
func (c *checker) checkForward(routes map[*screen][]route) {
	place := map[*screen]int{}
	for i, s := range c.order {
		place[s] = i
	}
	for _, s := range c.order {
		for _, r := range routes[s] {
			if s.from[r.to] && place[s] > place[r.to] {
				c.at(invalidRouting, r.at, "Backward route [%s->%s] corresponding to forward route [%s->%s] is not allowed in the routing model. Only forward routes can be specified.",
					s.id, r.to.id, r.to.id, s.id)
			}
		}
	}
}

// disconnected lists the screens that no route, in either direction, ties to the first one.
func (c *checker) disconnected(routes map[*screen][]route) (ids []string) {
	if len(c.order) < 2 {
		return nil
	}
	seen := map[*screen]bool{c.order[0]: true}
	for queue := []*screen{c.order[0]}; len(queue) > 0; queue = queue[1:] {
		s := queue[0]
		visit := func(next *screen) {
			if !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
		for _, r := range routes[s] {
			visit(r.to)
		}
		for _, other := range c.order {
			if s.from[other] {
				visit(other)
			}
		}
	}
	for _, s := range c.order {
		if !seen[s] {
			ids = append(ids, s.id)
		}
	}
	return ids
}

// checkCovered holds navigate actions to the declared routes.
func (c *checker) checkCovered(routes map[*screen][]route) {
	for _, s := range c.order {
		for _, to := range s.to {
			covered := false
			for _, r := range routes[s] {
				covered = covered || r.to == to
			}
			if !covered {
				c.add(invalidRouting, []*node{s.get("id"), to.get("id")}, "Missing direct route from screen '%s' to screen '%s' in the routing model, while it exists in the navigate screen action of screen '%s'.", s.id, to.id, s.id)
			}
		}
	}
}
