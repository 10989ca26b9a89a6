import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/model/clock.ts';
import { createDemoModel } from '../../src/model/demo.ts';
import type { ChatMessage, ModelRequest } from '../../src/model/model.ts';
import { listen, toRequest } from '../contract/model.ts';

const model = createDemoModel({ clock: systemClock, wordMs: 0, countTokens: (text) => Math.ceil(text.length / 4) });
const toolNamed = (name: string) => ({ name, description: '', parameters: {} });
const tools = ['get_current_weather', 'get_n_day_weather_forecast', 'current_time', 'ask_database'].map(toolNamed);

async function hear(messages: ChatMessage[], change: Partial<ModelRequest> = {}): Promise<string> {
  const all: ChatMessage[] = [{ role: 'system', content: 'You are helpful.' }, ...messages];
  const { events, text } = await listen(model, toRequest({ tools, messages: all, ...change }));
  const [call] = events.flatMap((event) => (event.type === 'tool-call' ? [event.call] : []));
  return call === undefined ? text : `${call.name} ${call.arguments}`;
}

const user = (content: string): ChatMessage => ({ role: 'user', content });

test('without any key, the demo model looks up the weather and the time when it is plainly asked to', async () => {
  assert.equal(
    await hear([user('What is the weather in Glasgow, Scotland?')]),
    'get_current_weather {"location":"Glasgow, Scotland","format":"celsius"}',
  );
  assert.equal(
    await hear([user('Ann: The forecast for New York over the next 5 days, please')]),
    'get_n_day_weather_forecast {"location":"New York","format":"celsius","num_days":5}',
  );
  assert.equal(await hear([user('What time is it?')]), 'current_time {}');
  assert.equal(await hear([user('Wie ist das Wetter?')]), 'Für welchen Ort?');
  const asked: ChatMessage[] = [user("What's the weather like?"), { role: 'assistant', content: 'For which place?' }];
  assert.equal(
    await hear([...asked, user("I'm in Glasgow, Scotland.")]),
    'get_current_weather {"location":"Glasgow, Scotland","format":"celsius"}',
  );
});

test('it tells what came of it, and calls nothing that is forbidden, missing, or not asked for', async () => {
  const question = user('What is the weather in Oslo?');
  const call = { id: 'a', name: 'get_current_weather', arguments: '{}' };
  const step: ChatMessage[] = [
    { role: 'assistant', content: '', toolCalls: [call] },
    { role: 'tool', callId: 'a', content: '<tool_result>\nOslo: &lt;rain&gt;, 7 °C\n</tool_result>' },
  ];
  assert.equal(await hear([question, ...step]), 'Oslo: <rain>, 7 °C');
  for (const change of [{ toolChoice: 'none' as const }, { tools: [] }, { tools: [toolNamed('other')] }]) {
    assert.match(await hear([question], change), /^I find nothing/);
  }
  assert.match(await hear([user('My cat likes rainy days.')]), /^Noted/);
  assert.equal(await hear([user('Hello')], { toolChoice: { name: 'ask_database' } }), 'ask_database {}');
});
