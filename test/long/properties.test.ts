/**
 * Every property over again, fifty times as often as in `npm test` and with seeds of its own. A failure prints the seed
 * that repeats it.
 */
import '../contract/memory-invariants.test.ts';
import '../contract/store.test.ts';
import '../unit/budget.test.ts';
import '../unit/citing.test.ts';
import '../unit/command-complete.test.ts';
import '../unit/command-parse.test.ts';
import '../unit/demo.test.ts';
import '../unit/folds.test.ts';
import '../unit/head.test.ts';
import '../unit/limits.test.ts';
import '../unit/log.test.ts';
import '../unit/model-gate.test.ts';
import '../unit/model-retry.test.ts';
import '../unit/names.test.ts';
import '../unit/prices.test.ts';
import '../unit/recall-index.test.ts';
import '../unit/recall-terms.test.ts';
import '../unit/sentences.test.ts';
import '../unit/settings.test.ts';
import '../unit/split.test.ts';
import '../unit/terminal-parts.test.ts';
import '../unit/terminal-screen.test.ts';
import '../unit/tokens.test.ts';
import '../unit/usage-days.test.ts';
import '../unit/usage-table.test.ts';
import '../unit/web-live.test.ts';
import '../unit/window.test.ts';
import '../unit/wire.test.ts';
