// Package picture turns a file that somebody sent into a plain photo, or says why it
// cannot: whatever the file was, what comes out is a JPEG of moderate size that holds
// pixels and nothing else, so that neither a place nor a trick in it gets any further.
package picture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

const (
	// MaxPixels is the largest picture that is decoded.
	MaxPixels = 50_000_000
	// MaxSide is the longest side of the photo that comes out, in pixels.
	MaxSide = 2000
	// maxMemory bounds what one decoder may need, by what the header tells.
	maxMemory = 256 << 20
	quality   = 85
)

// Why a file is no photo.
var (
	// ErrKind: neither JPEG nor PNG, WebP or GIF.
	ErrKind = errors.New("picture: not a JPEG, PNG, WebP or GIF")
	// ErrHEIC: what iPhones make unless told otherwise, which cannot be decoded here.
	ErrHEIC = errors.New("picture: HEIC cannot be decoded")
	// ErrLarge: too many pixels.
	ErrLarge = errors.New("picture: too many pixels")
	// ErrBroken: cut off, damaged or made to deceive.
	ErrBroken = errors.New("picture: damaged")
)

// A Photo is what comes out.
type Photo struct {
	// JPEG is the photo, upright, at most MaxSide a side.
	JPEG          []byte
	Width, Height int
	// Digest is the hex SHA-256 of the size and the pixels as the file had them: the
	// same for a copy that lost nothing, whatever its name and metadata say.
	Digest string
}

// kind is how to decode one format. bytesPerPixel is what decoding needs at most.
type kind struct {
	config        func(io.Reader) (image.Config, error)
	decode        func(io.Reader) (image.Image, error)
	bytesPerPixel func(data []byte, model color.Model) int
}

// kindOf goes by content, never by name.
func kindOf(data []byte) (kind, error) {
	has := func(at int, text string) bool {
		return len(data) >= at+len(text) && string(data[at:at+len(text)]) == text
	}
	switch {
	case has(0, "\xff\xd8\xff"):
		return kind{jpeg.DecodeConfig, jpeg.Decode, jpegMemory}, nil
	case has(0, "\x89PNG\r\n\x1a\n"):
		return kind{png.DecodeConfig, png.Decode, pngMemory}, nil
	case has(0, "GIF87a"), has(0, "GIF89a"):
		return kind{gif.DecodeConfig, gif.Decode, func([]byte, color.Model) int { return 2 }}, nil
	case has(0, "RIFF") && has(8, "WEBP"):
		return kind{webp.DecodeConfig, webp.Decode, func([]byte, color.Model) int { return 8 }}, nil
	case has(4, "ftyp"):
		return kind{}, ErrHEIC
	default:
		return kind{}, ErrKind
	}
}

// jpegMemory counts what the decoder keeps: the planes, the coefficients of a
// progressive picture and the copy in another colour space. 0 is for a header that
// cannot be read.
func jpegMemory(data []byte, _ color.Model) int {
	h, ok := readJPEG(data)
	if !ok {
		return 0
	}
	need := h.samples
	if h.progressive {
		need *= 5
	}
	if h.samples >= 3 {
		need += 4
	}
	return need
}

func pngMemory(data []byte, model color.Model) int {
	need := 4
	if model == color.RGBA64Model || model == color.NRGBA64Model || model == color.Gray16Model {
		need = 8
	}
	const interlace = 28 // in the header, which always comes first
	if len(data) > interlace && data[interlace] != 0 {
		need *= 2
	}
	return need
}

// Read makes a photo of a file. The error is one of this package's, or the context's
// where its time was up.
func Read(ctx context.Context, data []byte) (Photo, error) {
	source, err := decode(ctx, data)
	if err != nil {
		return Photo{}, err
	}
	small, digest, err := shrink(ctx, source)
	if err != nil {
		return Photo{}, err
	}
	if head, ok := readJPEG(data); ok {
		small = upright(small, head.orientation)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: quality}); err != nil {
		return Photo{}, ErrBroken
	}
	size := small.Bounds().Size()
	return Photo{JPEG: out.Bytes(), Width: size.X, Height: size.Y, Digest: digest}, nil
}

func decode(ctx context.Context, data []byte) (m image.Image, err error) {
	k, err := kindOf(data)
	if err != nil {
		return nil, err
	}
	// The decoders are well tested; should one fall over a file none the less, that
	// is the file's fault.
	defer func() {
		if recover() != nil {
			m, err = nil, ErrBroken
		}
	}()
	config, err := k.config(bytes.NewReader(data))
	if err != nil || config.Width < 1 || config.Height < 1 {
		return nil, ErrBroken
	}
	if config.Width > MaxPixels || config.Height > MaxPixels || int64(config.Width)*int64(config.Height) > MaxPixels {
		return nil, ErrLarge
	}
	need := k.bytesPerPixel(data, config.ColorModel)
	if need == 0 {
		return nil, ErrBroken
	}
	if need*config.Width*config.Height > maxMemory {
		return nil, ErrLarge
	}
	m, err = k.decode(&limited{ctx, bytes.NewReader(data)})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil || m.Bounds().Empty() || m.Bounds().Dx() > config.Width || m.Bounds().Dy() > config.Height:
		return nil, ErrBroken
	}
	return m, nil
}

// limited lets no decoder read on once the time is up: some files are made to keep
// one busy. It gives little at a time, so that it is asked often.
type limited struct {
	ctx context.Context //nolint:containedctx // a reader has no other way to hear of it
	r   io.Reader
}

func (l *limited) Read(p []byte) (int, error) {
	const atOnce = 4096
	if err := l.ctx.Err(); err != nil {
		return 0, err
	}
	return l.r.Read(p[:min(len(p), atOnce)])
}

// shrink makes the picture at most MaxSide a side, on white where it is transparent,
// and takes the digest on the way. It goes through the picture strip by strip: a
// copy of the whole would take more memory than the picture.
func shrink(ctx context.Context, m image.Image) (*image.RGBA, string, error) {
	b := m.Bounds()
	digest := sha256.New()
	_ = binary.Write(digest, binary.BigEndian, [2]uint32{uint32(b.Dx()), uint32(b.Dy())}) // a hash takes everything
	boxes := newBoxes(b.Dx(), b.Dy())
	const stripPixels = 1 << 20
	rows := max(1, min(b.Dy(), stripPixels/b.Dx()))
	strip := image.NewRGBA(image.Rect(0, 0, b.Dx(), rows))
	for y := 0; y < b.Dy(); y += rows {
		if err := ctx.Err(); err != nil {
			return nil, "", err
		}
		n := min(rows, b.Dy()-y)
		draw.Draw(strip, image.Rect(0, 0, b.Dx(), n), m, image.Pt(b.Min.X, b.Min.Y+y), draw.Src)
		for row := range n {
			line := strip.Pix[row*strip.Stride : row*strip.Stride+4*b.Dx()]
			write(digest, line)
			boxes.add(line)
		}
	}
	return fit(boxes.out), hex.EncodeToString(digest.Sum(nil)), nil
}

func write(h hash.Hash, line []byte) { _, _ = h.Write(line) } // a hash takes everything

// boxes averages whole boxes of pixels into one: fast, and fine lines do not turn
// into patterns.
type boxes struct {
	out *image.RGBA
	// across and down are how many pixels a box has.
	across, down int
	sums         []uint32
	rows, y      int
}

func newBoxes(width, height int) *boxes {
	k := max(1, max(width, height)/MaxSide)
	across, down := min(k, width), min(k, height)
	out := image.NewRGBA(image.Rect(0, 0, width/across, height/down))
	return &boxes{out: out, across: across, down: down, sums: make([]uint32, 3*out.Rect.Dx())}
}

// add takes the next line, of premultiplied RGBA. Sums stay far below 2^32: a box has
// at most MaxPixels/MaxSide pixels.
func (b *boxes) add(line []byte) {
	if b.y == b.out.Rect.Dy() {
		return // less than a box is left
	}
	for x := range b.out.Rect.Dx() {
		var red, green, blue uint32
		for box := line[4*x*b.across : 4*(x+1)*b.across]; len(box) >= 4; box = box[4:] {
			white := 255 - uint32(box[3])
			red, green, blue = red+uint32(box[0])+white, green+uint32(box[1])+white, blue+uint32(box[2])+white
		}
		b.sums[3*x] += red
		b.sums[3*x+1] += green
		b.sums[3*x+2] += blue
	}
	if b.rows++; b.rows < b.down {
		return
	}
	n := uint32(b.across * b.down)
	at := b.out.Pix[b.y*b.out.Stride:]
	for x := range b.out.Rect.Dx() {
		for c := range 3 {
			at[4*x+c] = uint8(min(255, (b.sums[3*x+c]+n/2)/n))
		}
		at[4*x+3] = 255
	}
	clear(b.sums)
	b.rows, b.y = 0, b.y+1
}

// fit scales what is left of the way to MaxSide, which is less than by half.
func fit(m *image.RGBA) *image.RGBA {
	size := m.Bounds().Size()
	longest := max(size.X, size.Y)
	if longest <= MaxSide {
		return m
	}
	scaled := func(n int) int { return max(1, (n*MaxSide+longest/2)/longest) }
	out := image.NewRGBA(image.Rect(0, 0, scaled(size.X), scaled(size.Y)))
	xdraw.ApproxBiLinear.Scale(out, out.Bounds(), m, m.Bounds(), xdraw.Src, nil)
	return out
}
