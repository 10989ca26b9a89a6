import { toBotError } from '../errors.ts';
import type { Metrics } from '../operations/metrics.ts';
import type { Model } from './model.ts';

/** The same model, every call of it counted. */
export function observed(model: Model, metrics: Pick<Metrics, 'modelCalled'>): Model {
  return {
    contextTokens: model.contextTokens,
    async *stream(request, signal) {
      try {
        yield* model.stream(request, signal);
        metrics.modelCalled('answered');
      } catch (error) {
        metrics.modelCalled(toBotError(error).kind);
        throw error;
      }
    },
  };
}
