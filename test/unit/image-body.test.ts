import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holdImage, releaseImages, toStreamedBody } from '../../src/model/image-body.ts';
import { runs } from './property-runs.ts';

async function textOf(body: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(body).text();
}

test('a streamed body is the JSON with each image as a data URL, and as long as it says', async () => {
  const anyImage = fc.uint8Array({ maxLength: 200 }).map((bytes) => ({ mime: 'image/png', bytes }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyImage, { minLength: 1, maxLength: 4 }),
      fc.string({ unit: 'grapheme' }),
      async (all, said) => {
        const held = all.map(holdImage);
        const toJson = (urls: string[]): string => JSON.stringify({ said, urls, more: said });
        const streamed = toStreamedBody(toJson(held));
        assert.ok(streamed);
        const urls = all.map(({ bytes }) => `data:image/png;base64,${Buffer.from(bytes).toString('base64')}`);
        const text = await textOf(streamed.body);
        assert.equal(text, toJson(urls));
        assert.equal(streamed.headers['content-length'], String(Buffer.byteLength(text)));
        releaseImages(held);
      },
    ),
    runs(50),
  );
});

test('an image of many pieces joins to the whole', async () => {
  const bytes = Buffer.alloc(500_001, 'abcdefg');
  const held = holdImage({ mime: 'image/jpeg', bytes });
  const streamed = toStreamedBody(JSON.stringify([held]));
  assert.ok(streamed);
  assert.equal(await textOf(streamed.body), JSON.stringify([`data:image/jpeg;base64,${bytes.toString('base64')}`]));
  releaseImages([held]);
});

test('a request without images, and what only looks like one, is sent as it is', () => {
  const held = holdImage({ mime: 'image/png', bytes: Buffer.from('x') });
  assert.equal(toStreamedBody('{"a":"image:00000000-0000-4000-8000-000000000000"}'), undefined);
  releaseImages([held]);
  assert.equal(toStreamedBody(JSON.stringify([held])), undefined);
});
