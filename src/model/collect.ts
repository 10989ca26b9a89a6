import type { FinishReason, Model, ModelRequest, Usage } from './model.ts';

/** What a call cost, whoever answered it. */
export interface CallCost {
  model: string;
  usage: Usage;
}

export interface Collected {
  text: string;
  finish: FinishReason;
  costs: CallCost[];
}

/**
 * A whole answer at once. `costs` is filled as the call goes, so that what was spent is known even when it throws.
 */
export async function collect(
  model: Model,
  request: ModelRequest,
  signal: AbortSignal,
  costs: CallCost[],
  onText: (text: string) => void = () => undefined,
): Promise<Collected> {
  let text = '';
  let finish: FinishReason = 'stop';
  for await (const event of model.stream(request, signal)) {
    if (event.type === 'text') {
      text += event.text;
      onText(event.text);
    } else if (event.type === 'attempt' || event.type === 'end') costs.push({ model: event.model, usage: event.usage });
    if (event.type === 'end') finish = event.finish;
  }
  return { text, finish, costs };
}
