package meta

// Version is the Graph API version of calls whose caller names none: everything but messages.
const Version = "v25.0"
