import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newFolder, say, startProgram } from './program.ts';

test('a budget in which the role leaves no room to talk is refused at the start, by the names of the variables', async (t) => {
  const program = startProgram({
    env: {
      DATA_DIR: newFolder(t),
      MEMORY_TOKENS: '2000',
      SYSTEM_ROLE: 'You are the keeper of the harbour log. '.repeat(150),
    },
  });
  assert.notEqual(await program.end(), 0);
  assert.match(
    program.errors() + program.output(),
    /MEMORY_TOKENS, SYSTEM_ROLE: the role and the summaries leave fewer than 500 of the 2000 tokens for the conversation/,
  );
});

test('a budget in which the tools leave no room to talk is refused at the start, by the names of the variables', async (t) => {
  const env = { DATA_DIR: newFolder(t), TOOLS: 'all', MEMORY_TOKENS: '1300' };
  const program = startProgram({ env });
  assert.equal(await program.end(), 78);
  assert.match(
    program.errors() + program.output(),
    /MEMORY_TOKENS, TOOLS: the tools' descriptions leave fewer than 500 of the 1300 tokens for the conversation/,
  );
  const smaller = startProgram({ env: { ...env, TOOLS: 'current_time' } });
  await smaller.ending(say(smaller, 'What time is it?'));
  assert.equal(await smaller.end(), 0);
});

test('an operator who wants summaries early may: MEMORY_HIGH below the usual minimum is taken as it is', async (t) => {
  const program = startProgram({ env: { DATA_DIR: newFolder(t), TOOLS: 'all', MEMORY_HIGH: '300' } });
  await program.ending(say(program, 'What time is it?'));
  assert.equal(await program.end(), 0);
});
