import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withoutOwnMentions } from '../../src/event.ts';

/** The bot's own mention is no part of what is said; everything else is. */

const without = (text: string): string => withoutOwnMentions(text, /<@(\w+)>/g, ([, id]) => id === 'bot');

test('one blank stays where the mention stood, and none at the beginning of a line', () => {
  assert.equal(without('<@bot> hello'), 'hello');
  assert.equal(without('hello <@bot> there'), 'hello there');
  assert.equal(without('hello<@bot>there'), 'hello there');
  assert.equal(without('hello \t <@bot>\t there'), 'hello there');
  assert.equal(without('hello\n  <@bot> there\n<@bot>'), 'hello\nthere\n');
  assert.equal(without('  <@bot> <@bot>  hello'), 'hello');
});

test('other mentions and the blanks around them stay as they are', () => {
  assert.equal(without('  hi  <@ann>  <@bot>  you  '), '  hi  <@ann> you  ');
  const text = fc.string({ unit: fc.constantFrom('a', ' ', '\t', '\n', '<@ann>', '<@') });
  fc.assert(fc.property(text, (said) => assert.equal(without(said), said)));
});

test('words and line breaks stay, whatever stands between them', () => {
  const piece = fc.constantFrom('a', ' ', '\t', '\n', '<@bot>');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const said = without(pieces.join(''));
      assert.equal(said.replace(/[ \t]/g, ''), pieces.filter((one) => /[a\n]/.test(one)).join(''));
    }),
  );
});
