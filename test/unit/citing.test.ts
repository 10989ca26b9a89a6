import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCiting } from '../../src/turn/citing.ts';
import { createSplitter } from '../../src/turn/split.ts';
import { runs } from './property-runs.ts';

/** What the model cites by marker, people read as a name, a day and an address. */

const sources = [
  { marker: 1, label: 'Ann, 3 Nov', link: 'https://chat.example/1' },
  { marker: 2, label: 'Ben, 4 Nov', link: undefined },
  { marker: 12, label: 'Chloé, 5 Nov 2025', link: 'https://chat.example/12' },
];

function cited(...pieces: string[]): string {
  const citing = createCiting(sources);
  return pieces.map((piece) => citing.push(piece)).join('') + citing.rest(false);
}

test('a marker becomes who said it and when, with the way there', () => {
  assert.equal(cited('The roses are red [m1].'), 'The roses are red ([Ann, 3 Nov](https://chat.example/1)).');
  assert.equal(cited('So [m2] and so [m12]'), 'So (Ben, 4 Nov) and so ([Chloé, 5 Nov 2025](https://chat.example/12))');
  assert.equal(cited('[m1, m2]'), '([Ann, 3 Nov](https://chat.example/1); Ben, 4 Nov)');
  assert.equal(cited('Red [m2][m2]'), 'Red (Ben, 4 Nov)(Ben, 4 Nov)');
});

test('a marker of nothing is left out, and what is no marker stays', () => {
  assert.equal(cited('Red [m7].'), 'Red .');
  for (const text of ['array[m1] = f(x)[m2]', '[m]', '[max]', '[m1', 'm1', '[ m1 ]', '[1]', '[m1234]', '[[', '[m1,']) {
    assert.equal(cited(text), text);
  }
});

test('a block of code is left as it is', () => {
  const code = 'So [m2]:\n```py\nx = [m1]\n```\nand [m2]';
  assert.equal(cited(code), 'So (Ben, 4 Nov):\n```py\nx = [m1]\n```\nand (Ben, 4 Nov)');
  assert.equal(cited(...Array.from(code)), cited(code));
});

test('of a text that broke off half a marker is left out, and a bracket of its own stays', () => {
  const torn = (text: string): string => {
    const citing = createCiting(sources);
    return citing.push(text) + citing.rest(true);
  };
  assert.equal(torn('Red [m1] or [m1, m'), 'Red ([Ann, 3 Nov](https://chat.example/1)) or ');
  assert.equal(torn('The list [1, 2'), 'The list [1, 2');
});

test('with nothing recalled no text is touched or held back', () => {
  const citing = createCiting([]);
  assert.equal(citing.push('a [m1'), 'a [m1');
});

test('it does not matter where the text is torn apart, and what is torn off early is shown early', () => {
  const word = fc.constantFrom(
    '[m1]',
    '[m2, m12]',
    '[',
    ']',
    'm1',
    ' ',
    'a',
    '[m',
    ', ',
    '(',
    '9',
    '\n',
    '😀',
    '[m99]',
    '\n```\n',
    '`',
  );
  const property = fc.property(fc.array(word, { maxLength: 30 }), fc.array(fc.nat(80)), (words, cuts) => {
    const text = words.join('');
    const places = [...new Set([0, ...cuts.map((cut) => Math.min(cut, text.length)), text.length])].sort(
      (a, b) => a - b,
    );
    const pieces = places.slice(1).map((to, n) => text.slice(places[n], to));
    assert.equal(cited(...pieces), cited(text));
  });
  fc.assert(property, runs(100));
  const citing = createCiting(sources);
  assert.equal(citing.push('Nothing to wait for. '), 'Nothing to wait for. ');
  assert.equal(citing.push('But here ['), 'But here ');
  assert.equal(citing.push('x'), '[x');
});

test('which of what was recalled was used is known', () => {
  const citing = createCiting(sources);
  citing.push('Red [m1], or [m12, m3].');
  assert.deepEqual([...citing.used()], [1, 12]);
});

test('a citation stays whole on every platform, however long the answer and however it comes in', () => {
  const link = 'https://discord.com/channels/123456789012345678/123456789012345678/1234567890123456789';
  const name = fc.constantFrom(
    'Ann',
    'Dr. Ann (the other one)',
    'Zoë 🧑‍🚀',
    'a_b*c~d|e',
    'Ann (on leave',
    'half) open',
    'back\\',
  );
  const word = fc.constantFrom(
    'word',
    'A sentence ends here.',
    '[m1]',
    '[m1, m2]',
    '\n\n',
    '- item',
    '(see',
    ')',
    '[x](https://e.org)',
    '```\ncode\n```',
  );
  const property = fc.property(
    name,
    fc.array(word, { minLength: 80, maxLength: 300 }),
    fc.integer({ min: 1, max: 9 }),
    (who, words, step) => {
      const label = `${who}, 3 Nov`;
      const citing = createCiting([1, 2].map((marker) => ({ marker, label, link })));
      const splitter = createSplitter(600);
      const text = words.join(' ');
      for (let at = 0; at < text.length; at += step) splitter.push(citing.push(text.slice(at, at + step)));
      const pieces = splitter.push(citing.rest(false));
      const whole = `[${label}](${link})`;
      for (const piece of pieces) {
        const rest = piece.replaceAll(whole, '');
        assert.ok(!rest.includes('discord.com') && !rest.includes(', 3 Nov'), piece);
      }
    },
  );
  fc.assert(property, runs(100));
});
