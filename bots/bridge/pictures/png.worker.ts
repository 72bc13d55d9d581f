/** Draws SVG as PNG, one after the other, on a thread of its own: it takes a processor for some hundred milliseconds. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parentPort } from 'node:worker_threads'
import { initWasm, Resvg } from '@resvg/resvg-wasm'

const bytesOf = (specifier: string): Promise<Buffer> => readFile(fileURLToPath(import.meta.resolve(specifier)))

/** Sharp on screens with more pixels than they say. */
const zoom = 1.5
const family = 'DejaVu Sans'

const [wasm, font] = await Promise.all([
  bytesOf('@resvg/resvg-wasm/index_bg.wasm'),
  bytesOf('@fontsource/dejavu-sans/files/dejavu-sans-latin-400-normal.woff2'),
])
await initWasm(wasm)

function draw(svg: string): Uint8Array {
  const picture = new Resvg(svg, {
    font: { fontBuffers: [font], defaultFontFamily: family },
    fitTo: { mode: 'zoom', value: zoom },
  })
  const image = picture.render()
  try {
    return image.asPng()
  } finally {
    image.free()
    picture.free()
  }
}

parentPort?.on('message', (svg: string) => parentPort?.postMessage(draw(svg)))
