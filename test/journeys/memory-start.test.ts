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
    /MEMORY_TOKENS, MEMORY_HIGH, SYSTEM_ROLE: beside the role and the summaries fewer than 500 of 2000 tokens remain/,
  );
});

test('a budget in which the tools leave no room to talk is refused at the start, by the names of the variables', async (t) => {
  const env = { DATA_DIR: newFolder(t), TOOLS: 'all', MEMORY_TOKENS: '1300' };
  const program = startProgram({ env });
  assert.equal(await program.end(), 78);
  assert.match(
    program.errors() + program.output(),
    /MEMORY_TOKENS, TOOLS: beside what describes the tools fewer than 500 of 1300 tokens remain/,
  );
  const smaller = startProgram({ env: { ...env, TOOLS: 'current_time' } });
  await smaller.ending(say(smaller, 'What time is it?'));
  assert.equal(await smaller.end(), 0);
});
