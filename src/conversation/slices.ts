import { setImmediate as nextTurn } from 'node:timers';

/** How long counting may hold the event loop before others have their turn. */
const sliceMs = 2;

interface Job {
  /** Does a little more; true when it is done. */
  step(): boolean;
}

/**
 * Runs long computations a little at a time. All of them share one slice a turn of the event loop, a step each in turn:
 * ten hostile messages at once hold up the others no longer than one, and an innocent one does not wait for them to end.
 */
export function createSlices(): <T>(work: Generator<void, T>) => Promise<T> {
  const jobs: Job[] = [];
  let until = 0;
  let scheduled = false;

  function run(): void {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      if (!job.step()) jobs.push(job);
      if (performance.now() >= until) break;
    }
  }

  function nextSlice(): void {
    scheduled = true;
    until = performance.now() + sliceMs;
    nextTurn(() => {
      scheduled = false;
      if (jobs.length > 0) nextSlice();
    });
    run();
  }

  return (work) =>
    new Promise((resolve, reject) => {
      jobs.push({
        step() {
          try {
            const result = work.next();
            if (result.done) resolve(result.value);
            return result.done === true;
          } catch (error) {
            reject(error);
            return true;
          }
        },
      });
      if (!scheduled) nextSlice();
      else if (performance.now() < until) run();
    });
}
