package mailbox_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox/mailbox"
)

// A regression: a server closed before its first accept never ended.
func TestCloseRightAfterServe(t *testing.T) {
	t.Parallel()
	for range 200 {
		box := mailbox.New(mailbox.Config{})
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		box.Serve(listener)
		require.NoError(t, box.Close(t.Context()))
	}
}
