import { BotError } from '../errors.ts';
import type { ChannelId } from '../event.ts';
import { momentText, type PeriodKind } from './days.ts';
import { nanosPerDollar } from './prices.ts';
import { subjects } from './tally.ts';

/** Hard limits: tokens a day, dollars a month. Absent: none. */
export interface Limits {
  userTokens?: number | undefined;
  channelTokens?: number | undefined;
  workspaceTokens?: number | undefined;
  workspaceUsd?: number | undefined;
}

export interface Budget {
  subject: 'person' | 'channel' | 'workspace' | 'money';
  per: PeriodKind;
  /** Tokens, or nano-dollars for money. */
  limit: number;
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
  const { userTokens, channelTokens, workspaceTokens, workspaceUsd } = limits;
  const budgets: Budget[] = [];
  if (userTokens !== undefined) budgets.push({ subject: 'person', per: 'day', limit: userTokens });
  if (channelTokens !== undefined) budgets.push({ subject: 'channel', per: 'day', limit: channelTokens });
  if (workspaceTokens !== undefined) budgets.push({ subject: 'workspace', per: 'day', limit: workspaceTokens });
  if (workspaceUsd !== undefined) {
    budgets.push({ subject: 'money', per: 'month', limit: Math.round(workspaceUsd * nanosPerDollar) });
  }
  return budgets;
}

/** The name under which a tally counts what the budget is about. */
export function subjectOf(budget: Budget, channel: ChannelId, person: string): string {
  switch (budget.subject) {
    case 'person':
      return subjects.person(person);
    case 'channel':
      return subjects.channel(channel);
    case 'workspace':
      return subjects.workspace;
    case 'money':
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
  const held = line.reserved === 0 ? '' : `, ${amountText(line, line.reserved)} more are held for answers under way`;
  const message = `${usedText(line, line.used)}${held}, and this one may need ${amountText(line, wanted)}. The count starts again on ${momentText(line.resetAt, timeZone)}`;
  // What is held comes free within moments; what is larger than the whole budget never fits.
  const fitsSoon = line.used + wanted <= line.limit;
  if (wanted > line.limit) return new BotError('forbidden', message);
  return new BotError('forbidden', message, { retryAt: fitsSoon ? now + retrySoonMs : line.resetAt });
}

export function unknownPrice(model: string, usedBefore: boolean): BotError {
  const what = usedBefore
    ? `${model} was used this month and its price is unknown to me, so I cannot tell what is left of this workspace's money`
    : `the price of ${model} is unknown to me, so I cannot keep to this workspace's money limit`;
  return new BotError('forbidden', `${what}. An admin can name the price in PRICES_FILE`);
}

export function warningText(line: BudgetLine, wanted: number, timeZone: string): string {
  const soon = usedText(line, line.used + line.reserved + wanted);
  return `With this answer, ${soon}; the count starts again on ${momentText(line.resetAt, timeZone)}`;
}

/** For the table that `usage` shows. */
export function budgetText(line: BudgetLine, timeZone: string): string {
  const held = line.reserved === 0 ? '' : `, ${amountText(line, line.reserved)} held`;
  const left = amountText(line, Math.max(0, line.limit - line.used - line.reserved));
  return `${usedText(line, line.used)}${held}: ${left} left until ${momentText(line.resetAt, timeZone)}`;
}

function usedText(line: BudgetLine, used: number): string {
  const period = line.per === 'day' ? 'today' : 'this month';
  const [who, whose] = {
    person: ['you have', 'your'],
    channel: ['this channel has', 'its'],
    workspace: ['this workspace has', 'its'],
    money: ['this workspace has', 'its'],
  }[line.subject];
  return `${who} used ${amountText(line, used, false)} of ${whose} ${amountText(line, line.limit)} ${period}`;
}

function amountText(line: Budget, amount: number, unit = true): string {
  if (line.subject === 'money') return dollars(amount);
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
