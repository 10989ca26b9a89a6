import { BotError } from '../errors.ts';
import type { ChannelId } from '../event.ts';
import { momentText, type PeriodKind } from './days.ts';
import { nanosPerDollar } from './prices.ts';
import { everything, subjects } from './tally.ts';
import { workspaceOf } from './usage-record.ts';

/** Hard limits: tokens a day, dollars a month. Absent: none. */
export interface Limits {
  userTokens?: number | undefined;
  channelTokens?: number | undefined;
  workspaceTokens?: number | undefined;
  workspaceUsd?: number | undefined;
  /** Over everything together, on every platform. */
  totalTokens?: number | undefined;
  totalUsd?: number | undefined;
}

export interface Budget {
  subject: 'person' | 'channel' | 'workspace' | 'money' | 'total' | 'total-money';
  per: PeriodKind;
  /** Tokens, or nano-dollars for money. */
  limit: number;
  /** The variable that sets it, for whoever is refused. */
  rule: string;
}

/** How a budget stands, in its own unit. */
export interface BudgetLine extends Budget {
  used: number;
  /** Held for calls under way. */
  reserved: number;
  resetAt: number;
}

const warnFrom = 0.8;
const retrySoonMs = 60_000;

export function toBudgets(limits: Limits): Budget[] {
  const tokens = (subject: Budget['subject'], limit: number | undefined, rule: string): Budget[] =>
    limit === undefined ? [] : [{ subject, per: 'day', limit, rule }];
  const money = (subject: Budget['subject'], limit: number | undefined, rule: string): Budget[] =>
    limit === undefined ? [] : [{ subject, per: 'month', limit: Math.round(limit * nanosPerDollar), rule }];
  return [
    ...tokens('person', limits.userTokens, 'BUDGET_USER_TOKENS'),
    ...tokens('channel', limits.channelTokens, 'BUDGET_CHANNEL_TOKENS'),
    ...tokens('workspace', limits.workspaceTokens, 'BUDGET_WORKSPACE_TOKENS'),
    ...money('money', limits.workspaceUsd, 'BUDGET_WORKSPACE_USD'),
    ...tokens('total', limits.totalTokens, 'BUDGET_TOTAL_TOKENS'),
    ...money('total-money', limits.totalUsd, 'BUDGET_TOTAL_USD'),
  ];
}

export function isMoneyBudget({ subject }: Pick<Budget, 'subject'>): boolean {
  return subject === 'money' || subject === 'total-money';
}

/** Of everything together, whatever the workspace. */
export function isTotal({ subject }: Pick<Budget, 'subject'>): boolean {
  return subject === 'total' || subject === 'total-money';
}

/** Whoever uses something, and where. */
export interface Spender {
  channel: ChannelId;
  person: string;
  /** Whose daily budget pays, where not the person's own. */
  payer?: string | undefined;
}

/** Of which usage a budget is: a workspace's, or all there is. */
export function scopeOf(budget: Budget, { channel }: Spender): string {
  return isTotal(budget) ? everything : workspaceOf(channel);
}

/** The name under which a tally adds up what the budget is about. */
export function subjectOf(budget: Budget, { channel, person, payer }: Spender): string {
  switch (budget.subject) {
    case 'person':
      return subjects.person(person, payer);
    case 'channel':
      return subjects.channel(channel);
    case 'workspace':
    case 'total':
      return subjects.all;
    case 'money':
    case 'total-money':
      return subjects.money;
  }
}

export function isOver(line: Pick<BudgetLine, 'used' | 'reserved' | 'limit'>, wanted: number): boolean {
  return line.used + line.reserved + wanted > line.limit;
}

export function isNearlyOver(line: Pick<BudgetLine, 'used' | 'reserved' | 'limit'>, wanted: number): boolean {
  return line.used + line.reserved + wanted > line.limit * warnFrom;
}

export function overBudget(line: BudgetLine, wanted: number, now: number, timeZone: string): BotError {
  const aside = line.reserved === 0 ? '' : `, ${amountText(line, line.reserved)} more are set aside for other answers`;
  const message = `${usedText(line, line.used)}${aside}, and this answer may need ${amountText(line, wanted)}. ${limitText(line, timeZone)}`;
  // What is set aside comes free within moments; what is larger than the whole budget never fits.
  const fitsSoon = line.used + wanted <= line.limit;
  if (wanted > line.limit) return new BotError('forbidden', message);
  return new BotError('forbidden', message, { retryAt: fitsSoon ? now + retrySoonMs : line.resetAt });
}

export function unknownPrice({ rule }: Budget, model: string, usedBefore: boolean): BotError {
  const what = usedBefore
    ? `${model} was used this month and I do not know its price, so I cannot tell what is left of the money (${rule})`
    : `I do not know the price of ${model}, so I cannot keep to the limit of money (${rule})`;
  return new BotError('forbidden', `${what}. An admin can name the price in PRICES_FILE`);
}

export function warningText(line: BudgetLine, wanted: number, timeZone: string): string {
  const soon = usedText(line, line.used + line.reserved + wanted);
  return `With this answer, ${soon}. ${limitText(line, timeZone)}.`;
}

/** For the table that `usage` shows. */
export function budgetText(line: BudgetLine, timeZone: string): string {
  const aside = line.reserved === 0 ? '' : `, ${amountText(line, line.reserved)} set aside`;
  const left = amountText(line, Math.max(0, line.limit - line.used - line.reserved));
  return `${usedText(line, line.used)}${aside}: ${left} left until ${momentText(line.resetAt, timeZone)}`;
}

function limitText({ rule, resetAt }: BudgetLine, timeZone: string): string {
  return `The limit (${rule}) begins anew on ${momentText(resetAt, timeZone)}`;
}

function usedText(line: BudgetLine, used: number): string {
  const period = line.per === 'day' ? 'today' : 'this month';
  const [who, whose] = {
    person: ['you have', 'your'],
    channel: ['this channel has', 'its'],
    workspace: ['this workspace has', 'its'],
    money: ['this workspace has', 'its'],
    total: ['everybody together has', 'the'],
    'total-money': ['everybody together has', 'the'],
  }[line.subject];
  return `${who} used ${amountText(line, used, false)} of ${whose} ${amountText(line, line.limit)} ${period}`;
}

function amountText(line: Budget, amount: number, unit = true): string {
  if (isMoneyBudget(line)) return dollars(amount);
  return `${amount.toLocaleString('en-US')}${unit ? ' tokens' : ''}`;
}

/** Nano-dollars as people read them: never as nothing when it is something. */
export function dollars(nanos: number): string {
  const value = nanos / nanosPerDollar;
  if (value === 0) return '$0';
  if (value < 0.0001) return '<$0.0001';
  if (value < 0.1) return `$${value.toFixed(4)}`;
  const digits = value < 10_000 ? 2 : 0;
  return `$${value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}
