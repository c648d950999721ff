package openmoove_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/sandbox/openmoove"
)

// full is a server with so many properties.
func full(b *testing.B, properties int) *openmoove.Server {
	b.Helper()
	s, err := openmoove.New(openmoove.Config{Limits: "1000000000/1h"})
	require.NoError(b, err)
	b.Cleanup(s.Close)
	for i := range properties {
		_, err := s.Create(object{"property_address": strconv.Itoa(i) + " Long Road, Leeds", "property_postcode": "LS1 5HD", "email": "seller@example.com"})
		require.NoError(b, err)
	}
	return s
}

func BenchmarkSnapshotOf10000(b *testing.B) {
	s := full(b, 10_000)
	for b.Loop() {
		snapshot, _ := s.Snapshot()
		b.SetBytes(int64(len(snapshot)))
	}
}

func BenchmarkListPageOf10000(b *testing.B) {
	s := full(b, 10_000)
	for b.Loop() {
		r := httptest.NewRequest(http.MethodGet, "/properties/?page=50&page_size=100", strings.NewReader(""))
		r.Header.Set("X-API-KEY", openmoove.DevKey)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		require.Equal(b, http.StatusOK, w.Code)
	}
}

func BenchmarkCreate(b *testing.B) {
	s, err := openmoove.New(openmoove.Config{Limits: "1000000000/1h", Journal: func(int64, []byte) {}})
	require.NoError(b, err)
	b.Cleanup(s.Close)
	n := 0
	for b.Loop() {
		if n++; n%20_000 == 0 {
			s.Reset()
		}
		r := httptest.NewRequest(http.MethodPost, "/clients/", strings.NewReader(`{"first_name":"Jane","last_name":"Doe","email":"jane@example.com",`+
			`"phone_number":"+447700900123","property_postcode":"LS1 5HD","estate_agent_email":"agent@oakfield.example.com","property_address":"`+strconv.Itoa(n)+` Park Row"}`))
		r.Header.Set("X-API-KEY", openmoove.DevKey)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		require.Equal(b, http.StatusCreated, w.Code)
	}
}
