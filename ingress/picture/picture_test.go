package picture_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aictive/keyholder/ingress/picture"
)

// scene is a picture whose corners differ: red, green, blue and white, clockwise from
// the top left.
func scene(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{255, 0, 0, 255}
			switch right, low := x >= width/2, y >= height/2; {
			case right && low:
				c = color.RGBA{0, 0, 255, 255}
			case right:
				c = color.RGBA{0, 255, 0, 255}
			case low:
				c = color.RGBA{255, 255, 255, 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

func asPNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, m))
	return b.Bytes()
}

func asJPEG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}))
	return b.Bytes()
}

// withEXIF puts a segment with an orientation and a secret place into a JPEG.
func withEXIF(file []byte, order binary.AppendByteOrder, orientation uint16) []byte {
	tiff := []byte("MM")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		tiff = []byte("II")
	}
	tiff = order.AppendUint16(tiff, 42)
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2)
	tiff = append(order.AppendUint32(order.AppendUint16(order.AppendUint16(tiff, 0x010f), 2), 4), "ACME"...)
	tiff = order.AppendUint32(order.AppendUint16(order.AppendUint16(tiff, 0x0112), 3), 1)
	tiff = order.AppendUint16(order.AppendUint16(tiff, orientation), 0)
	tiff = append(order.AppendUint32(tiff, 0), "SECRET-PLACE 34.05N 118.24W"...)
	segment := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{}, file[:2]...)
	out = binary.BigEndian.AppendUint16(append(out, 0xff, 0xe1), uint16(len(segment)+2))
	return append(append(out, segment...), file[2:]...)
}

func read(t *testing.T, file []byte) picture.Photo {
	t.Helper()
	p, err := picture.Read(t.Context(), file)
	require.NoError(t, err)
	return p
}

func decoded(t *testing.T, p picture.Photo) image.Image {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(p.JPEG))
	require.NoError(t, err)
	require.Equal(t, image.Pt(p.Width, p.Height), m.Bounds().Size())
	return m
}

// corners names the colours of the corners, clockwise from the top left.
func corners(m image.Image) string {
	b := m.Bounds()
	out := ""
	for _, at := range []image.Point{{b.Dx() / 8, b.Dy() / 8}, {b.Dx() * 7 / 8, b.Dy() / 8}, {b.Dx() * 7 / 8, b.Dy() * 7 / 8}, {b.Dx() / 8, b.Dy() * 7 / 8}} {
		r, g, blue, _ := m.At(b.Min.X+at.X, b.Min.Y+at.Y).RGBA()
		switch {
		case r > 0xd000 && g > 0xd000 && blue > 0xd000:
			out += "w"
		case r > g && r > blue:
			out += "r"
		case g > blue:
			out += "g"
		default:
			out += "b"
		}
	}
	return out
}

func TestRead_takesFourFormats(t *testing.T) {
	t.Parallel()
	var moving bytes.Buffer
	frame := image.NewPaletted(image.Rect(0, 0, 64, 32), color.Palette{color.White, color.RGBA{255, 0, 0, 255}})
	for i := range frame.Pix {
		frame.Pix[i] = 1
	}
	require.NoError(t, gif.EncodeAll(&moving, &gif.GIF{Image: []*image.Paletted{frame, image.NewPaletted(frame.Rect, frame.Palette)}, Delay: []int{1, 1}}))
	dot, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	require.NoError(t, err)

	require.Equal(t, "rgbw", corners(decoded(t, read(t, asPNG(t, scene(64, 32))))))
	require.Equal(t, "rgbw", corners(decoded(t, read(t, asJPEG(t, scene(64, 32))))))
	require.Equal(t, "rrrr", corners(decoded(t, read(t, moving.Bytes()))), "the first frame")
	require.Equal(t, image.Rect(0, 0, 1, 1), decoded(t, read(t, dot)).Bounds())
}

func TestRead_turnsUpright(t *testing.T) {
	t.Parallel()
	file := asJPEG(t, scene(160, 80))
	plain := read(t, file)
	// What each orientation shows of a picture whose corners are stored as r g b w.
	for orientation, want := range []string{1: "rgbw", 2: "grwb", 3: "bwrg", 4: "wbgr", 5: "rwbg", 6: "wrgb", 7: "bgrw", 8: "gbwr", 9: "rgbw"} {
		if want == "" {
			continue
		}
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			got := read(t, withEXIF(file, order, uint16(orientation)))
			require.Equal(t, want, corners(decoded(t, got)), "orientation %d", orientation)
			require.Equal(t, plain.Digest, got.Digest, "metadata does not count")
			if lying := orientation >= 5 && orientation <= 8; lying {
				require.Equal(t, []int{80, 160}, []int{got.Width, got.Height})
			}
		}
	}
}

func TestRead_keepsPixelsAlone(t *testing.T) {
	t.Parallel()
	file := append(withEXIF(asJPEG(t, scene(64, 64)), binary.BigEndian, 1), "PK\x03\x04 a zip behind the picture <script>"...)
	out := read(t, file).JPEG
	for _, secret := range []string{"Exif", "SECRET-PLACE", "ACME", "PK\x03\x04", "<script>"} {
		require.NotContains(t, string(out), secret)
	}
	require.Equal(t, byte(0xdb), out[3], "the first segment is a table, not one about the picture")
}

func TestRead_digest(t *testing.T) {
	t.Parallel()
	m := scene(3000, 40)
	first := read(t, asPNG(t, m)).Digest
	require.Regexp(t, `^[0-9a-f]{64}$`, first)
	packed := bytes.Buffer{}
	require.NoError(t, (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&packed, m))
	require.NotEqual(t, asPNG(t, m), packed.Bytes())
	require.Equal(t, first, read(t, packed.Bytes()).Digest, "another way to compress the same")
	m.SetRGBA(2999, 39, color.RGBA{1, 0, 255, 255})
	require.NotEqual(t, first, read(t, asPNG(t, m)).Digest, "one pixel")
	white, tall := image.NewGray(image.Rect(0, 0, 40, 10)), image.NewGray(image.Rect(0, 0, 10, 40))
	require.NotEqual(t, read(t, asPNG(t, white)).Digest, read(t, asPNG(t, tall)).Digest, "the same bytes in another shape")
}

func TestRead_scales(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ width, height, toWidth, toHeight int }{
		{300, 200, 300, 200}, {2000, 10, 2000, 10}, {2001, 1000, 2000, 1000}, {3999, 1999, 2000, 1000}, {4000, 1000, 2000, 500},
		{1000, 6001, 333, 2000}, {60000, 2, 2000, 1}, {3, 9000, 1, 2000},
	} {
		p := read(t, asPNG(t, scene(c.width, c.height)))
		require.InDelta(t, c.toWidth, p.Width, 1, "%v", c)
		require.InDelta(t, c.toHeight, p.Height, 1, "%v", c)
		if c.width > 100 && c.height > 100 {
			require.Equal(t, "rgbw", corners(decoded(t, p)))
		}
	}
}

func TestRead_putsWhiteBehind(t *testing.T) {
	t.Parallel()
	require.Equal(t, "wwww", corners(decoded(t, read(t, asPNG(t, image.NewNRGBA(image.Rect(0, 0, 4100, 10)))))))
}

// bombPNG says that it is huge and is not.
func bombPNG(width, height uint32) []byte {
	file := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
	file = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(file, width), height)
	file = append(file, 8, 6, 0, 0, 0)
	return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(file[12:]))
}

// bombJPEG is a header of a picture of a kind: 0xc0 is plain, 0xc2 progressive.
func bombJPEG(kind byte, width, height uint16, sampling byte) []byte {
	file := []byte{0xff, 0xd8, 0xff, kind, 0, 17, 8}
	file = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(file, height), width)
	file = append(file, 3, 1, sampling, 0, 2, 0x11, 0, 3, 0x11, 0)
	return append(file, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0)
}

func TestRead_refuses(t *testing.T) {
	t.Parallel()
	photo, drawing := asJPEG(t, scene(640, 480)), asPNG(t, scene(640, 480))
	garbage := bytes.Clone(drawing)
	copy(garbage[len(garbage)/2:], "this is no picture")
	for name, c := range map[string]struct {
		file []byte
		want error
	}{
		"nothing":            {nil, picture.ErrKind},
		"text":               {[]byte("hello"), picture.ErrKind},
		"SVG":                {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), picture.ErrKind},
		"PDF":                {[]byte("%PDF-1.7"), picture.ErrKind},
		"BMP":                {[]byte("BM\x00\x00"), picture.ErrKind},
		"HEIC":               {[]byte("\x00\x00\x00\x24ftypheic\x00\x00\x00\x00mif1heic"), picture.ErrHEIC},
		"only a mark":        {[]byte("\xff\xd8\xff"), picture.ErrBroken},
		"cut JPEG":           {photo[:len(photo)/2], picture.ErrBroken},
		"cut JPEG header":    {photo[:30], picture.ErrBroken},
		"cut PNG":            {drawing[:len(drawing)/2], picture.ErrBroken},
		"garbage in a PNG":   {garbage, picture.ErrBroken},
		"PNG bomb":           {bombPNG(60_000, 60_000), picture.ErrLarge},
		"PNG bomb, wide":     {bombPNG(0x7fffffff, 1), picture.ErrLarge},
		"PNG of no size":     {bombPNG(0, 10), picture.ErrBroken},
		"JPEG bomb":          {bombJPEG(0xc0, 65535, 65535, 0x22), picture.ErrLarge},
		"progressive bomb":   {bombJPEG(0xc2, 6000, 6000, 0x22), picture.ErrLarge},
		"JPEG without rows":  {bombJPEG(0xc0, 100, 100, 0x22), picture.ErrBroken},
		"GIF bomb":           {append([]byte("GIF89a\xff\xff\xff\xff\x80\x00\x00"), make([]byte, 6)...), picture.ErrLarge},
		"WebP of nothing":    {[]byte("RIFF\x00\x00\x00\x00WEBPVP8 "), picture.ErrBroken},
		"two kinds in one":   {append([]byte("GIF89a"), photo...), picture.ErrBroken},
		"a cut EXIF segment": {append([]byte{0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff}, "Exif"...), picture.ErrBroken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := picture.Read(t.Context(), c.file)
			if name == "GIF bomb" || name == "two kinds in one" { // too large or damaged, as the header happens to say
				require.Error(t, err)
				return
			}
			require.ErrorIs(t, err, c.want)
		})
	}
}

func TestRead_endsInTime(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := picture.Read(ctx, asJPEG(t, scene(200, 200)))
	require.ErrorIs(t, err, context.Canceled)
}

// A photo of 48 megapixels, as phones make them, is taken.
func TestRead_takesLargePhotos(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes a second and 200 MB")
	}
	m := image.NewYCbCr(image.Rect(0, 0, 8000, 6000), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = uint8(i / 8000 / 24)
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = 128, 128
	}
	p := read(t, asJPEG(t, m))
	require.Equal(t, []int{2000, 1500}, []int{p.Width, p.Height})
	require.Less(t, len(p.JPEG), 1<<20)
}

func FuzzRead(f *testing.F) {
	for _, file := range [][]byte{
		asPNG(f, scene(20, 10)), withEXIF(asJPEG(f, scene(20, 10)), binary.LittleEndian, 6), bombJPEG(0xc2, 90, 90, 0x22), bombPNG(30, 30),
		[]byte("GIF89a\x02\x00\x02\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x02\x00\x02\x00\x00\x02\x02\x84\x51\x00;"),
		[]byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"),
	} {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if c, _, err := image.DecodeConfig(bytes.NewReader(file)); err == nil && c.Width*c.Height > 1<<20 {
			t.Skip("correct and slow")
		}
		p, err := picture.Read(t.Context(), file)
		if err != nil {
			return
		}
		m, err := jpeg.Decode(bytes.NewReader(p.JPEG))
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(p.Width, p.Height), fmt.Sprint(m.Bounds().Dx(), m.Bounds().Dy()))
		require.LessOrEqual(t, max(p.Width, p.Height), picture.MaxSide)
		again, err := picture.Read(t.Context(), file)
		require.NoError(t, err)
		require.Equal(t, p, again)
	})
}
