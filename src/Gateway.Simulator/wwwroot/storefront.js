// A storefront that has nothing but the gateway's /catalog: no framework, no library, no build step.

const PATIENCE_MS = 15_000; // The gateway answers within its own deadline (5 s unless configured); this is for a dead network.
const OFFERED = ["US", "CA", "BR", "GB", "DE", "FR", "CH", "PL", "JP", "KW", "AU"];

const REASONS = {
  timeout: "the price system did not answer in time",
  unreachable: "the price system could not be reached",
  rejected: "the price system refused the question",
  badPayload: "the price system’s answer made no sense",
  throttled: "the price system is too busy",
  circuitOpen: "the price system is being left alone after failures",
};

const $ = (id) => document.getElementById(id);
const countries = new Intl.DisplayNames("en", { type: "region" });
const currencies = new Intl.DisplayNames("en", { type: "currency" });
const select = $("country");
const status = $("status");

let settings; // What the page's own server says: where the gateway is.
let answer; // The last catalog shown.
let asking; // Aborts the question under way.

// --- The address bar is the state -------------------------------------------------------------------------------------------

function wanted() {
  const query = new URLSearchParams(location.search);
  return {
    country: query.get("country")?.toUpperCase() ?? null,
    period: query.get("period") === "year" ? "year" : "month",
    product: query.get("product"),
  };
}

function remember(name, value) {
  const url = new URL(location.href);
  url.searchParams.set(name, value);
  history.replaceState(null, "", url);
}

// --- Words ------------------------------------------------------------------------------------------------------------------

const countryName = (code) => {
  try {
    return countries.of(code);
  } catch {
    return code; // Not even the form of a country code.
  }
};

/** The country's own way to write numbers; where its script is not that of this page, English as written there. */
function localeOf(country) {
  const likely = new Intl.Locale("und", { region: country }).maximize();
  return `${likely.script === "Latn" ? likely.language : "en"}-${country}`;
}

/** The decimal string goes to Intl as it is: a JavaScript number could not hold every amount. */
function money(price) {
  return new Intl.NumberFormat(localeOf(answer.context.country), {
    style: "currency",
    currency: price.currency,
    minimumFractionDigits: price.exponent,
    maximumFractionDigits: price.exponent,
  }).format(price.amount);
}

const length = ({ count, unit }) => `${count} ${unit}${count === 1 ? "" : "s"}`;

/** "a month", "every 14 days", "for 1 week", "once". */
function pace({ period, recurring }) {
  if (!period) {
    return "once";
  }
  if (!recurring) {
    return `for ${length(period)}`;
  }
  return period.count === 1 ? `a ${period.unit}` : `every ${length(period)}`;
}

const hasAmount = (price) => price.amount != null && price.currency != null;

function moment(iso) {
  const element = make("time", "", new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso)));
  element.dateTime = iso;
  return element;
}

/** "1 week for $0.99, then $9.99 a month". */
const trialWords = (price) =>
  `${length(price.period)} for ${money(price)}, then ${money(price.trial.then)} ${pace(price.trial.then)}`;

/** Nobody is asked to buy what will cost nobody knows how much. */
const isForSale = ({ price }) => hasAmount(price) && (!price.trial || hasAmount(price.trial.then));

/** The name comes with the price: without one the same plan's of another period is used, else its id is made readable. */
function nameOf(item) {
  const known = item.name ?? answer.items.find((other) => other.name && other.groupId && other.groupId === item.groupId)?.name;
  if (known) {
    return known;
  }
  const words = (item.groupId ?? item.id).replace(`${item.productId}-`, "").replaceAll(/[-_]+/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// --- Elements ---------------------------------------------------------------------------------------------------------------

/** Text only ever becomes a text node: nothing that an upstream says can become markup. */
function make(tag, className, ...children) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children);
  return element;
}

const spoken = (text) => make("span", "spoken", text);

function amountLine(price, compareAt) {
  const line = make("p", "price");
  if (compareAt && hasAmount(compareAt)) {
    line.append(spoken("Old price: "), make("s", "was", money(compareAt)), spoken(". Now: "), " ");
  }
  line.append(make("bdi", "amount", money(price)), " ", make("span", "pace", pace(price)));
  return line;
}

/** What is said where there is no amount. */
function absence(price) {
  switch (price.status) {
    case "notFound":
      return make("p", "not-sold", `Not sold in your country (${countryName(answer.context.country)}).`);
    case "unavailable":
      return make("p", "no-price", `Price not available just now: ${REASONS[price.reason] ?? "it could not be had"}.`);
    default:
      return make("p", "not-sold", "No price is shown here.");
  }
}

/** Of two amounts of one currency; whole percent, rounded down. */
function saving(price) {
  const before = price.compareAt;
  if (!before || before.currency !== price.currency || !(before.amountMinor > 0)) {
    return null;
  }
  const percent = (BigInt(before.amountMinor) - BigInt(price.amountMinor)) * 100n / BigInt(before.amountMinor);
  return percent > 0n ? make("p", "badge", `Save ${percent}%`) : null;
}

/** What the item costs, in elements: the amount, then all that has to be said about it. */
function priceArea({ price }) {
  if (!hasAmount(price)) {
    return [absence(price)];
  }

  const parts = [];
  const then = price.trial?.then;
  if (!then) {
    parts.push(amountLine(price, price.compareAt), saving(price));
  } else {
    // What it costs in the long run comes first; what the trial costs is said right below.
    if (hasAmount(then)) {
      parts.push(amountLine(then), make("p", "trial", trialWords(price)));
    } else {
      parts.push(
        amountLine({ ...price, recurring: false }),
        make("p", "no-price", then.status === "unavailable"
          ? `The price after that is not available just now: ${REASONS[then.reason] ?? "it could not be had"}.`
          : "The price after that is not known."));
    }
  }

  const old = [price, then].find((part) => part?.status === "stale");
  if (old) {
    parts.push(make("p", "stale", "Last known price, from ", moment(old.asOf), ". It could not be refreshed since."));
  }
  return parts.filter(Boolean);
}

function fill(template, item) {
  const element = $(template).content.firstElementChild.cloneNode(true);
  const part = (name) => element.querySelector(`.${name}`);
  element.dataset.id = item.id;
  element.dataset.status = item.price.status;
  part("name").textContent = nameOf(item);
  if (answer.items.some((other) => other.productId !== item.productId)) {
    part("name").prepend(make("span", "product", item.productId), " ");
  }
  part("price-area").append(...priceArea(item));
  return { element, part };
}

function plan(item) {
  const { element, part } = fill("plan-template", item);
  const replace = (name, text) => text ? (part(name).textContent = text) : part(name).remove();
  replace("description", item.description);
  if (item.features.length > 0) {
    part("features").append(...item.features.map((feature) => make("li", "", feature)));
  } else {
    part("features").remove();
  }
  if (isForSale(item)) {
    part("choose").textContent = `Choose ${nameOf(item)}`;
    part("choose").addEventListener("click", () => checkout(item));
  } else {
    part("choose").remove();
  }
  return element;
}

function checkout(item) {
  const { price } = item;
  $("checkout-title").textContent = nameOf(item);
  $("checkout-price").textContent = price.trial ? trialWords(price) : `${money(price)} ${pace(price)}`;
  $("checkout-sku").textContent = price.sku;
  $("checkout-country").textContent = answer.context.country;
  $("checkout").showModal();
}

function notice(kind, title, ...children) {
  const element = make("div", `notice ${kind}`, make("p", "notice-title", title), ...children);
  // An alert is read out at once; a remark on what is shown can wait for the status line.
  if (kind === "problem") {
    element.setAttribute("role", "alert");
  }
  $("notices").append(element);
}

function retry() {
  const button = make("button", "button quiet", "Try again");
  button.type = "button";
  button.addEventListener("click", () => {
    select.focus();
    // An incomplete answer may still be fresh in the browser's cache: ask the gateway whether there is a newer one.
    load({ cache: "no-cache" });
  });
  return button;
}

// --- Showing ----------------------------------------------------------------------------------------------------------------

const plural = (count, one) => `${count} ${one}${count === 1 ? "" : "s"}`;

function show() {
  const { context, completeness, items } = answer;
  const { period } = wanted();
  const plans = items.filter((item) => item.type === "plan" && item.billing.period?.unit === period);
  const addons = items.filter((item) => item.type === "addon");

  offer(context.country);
  $("plan-list").replaceChildren(...plans.map(plan));
  $("plans").hidden = plans.length === 0;
  $("addon-list").replaceChildren(...addons.map((item) => fill("addon-template", item).element));
  $("addons").hidden = addons.length === 0;
  $("notices").replaceChildren();
  if (plans.length === 0) {
    notice("remark", `There is no plan with ${period === "year" ? "yearly" : "monthly"} billing.`);
  }
  if (!completeness.complete) {
    const missing = completeness.failedProducts.map((product) => product.productId);
    const lacksPrice = items.some(({ price }) => [price, price.trial?.then].some((part) => part?.status === "unavailable"));
    notice(
      "remark",
      "Not everything could be loaded just now.",
      ...(missing.length > 0 ? [make("p", "", `Missing here: the plans of ${missing.join(", ")}.`)] : []),
      ...(lacksPrice ? [make("p", "", "Where a price is missing, it says so.")] : []),
      retry());
  }

  const priced = plans.concat(addons).find((item) => hasAmount(item.price))?.price.currency;
  status.textContent = `${countryName(context.country)}: ${plural(plans.length, "plan")} and ${plural(addons.length, "add-on")}`
    + (priced ? `, priced in ${currencies.of(priced)} (${priced}).` : ".");
  // To be seen in the notice and beside the prices anyway.
  status.append(spoken([
    completeness.complete ? "" : " Not everything could be loaded.",
    completeness.stale > 0 ? " Some prices could not be refreshed." : "",
  ].join("")));
}

function showFailure(title, ...children) {
  answer = null;
  $("plan-list").replaceChildren();
  $("plans").hidden = true;
  $("addons").hidden = true;
  $("answer").hidden = true;
  $("notices").replaceChildren();
  status.textContent = "";
  notice("problem", title, ...children, retry());
}

/** The gateway's problems are for programs and for people: title and detail in words, code and trace id for support. */
function showProblem(response, problem) {
  const seconds = Number(response.headers.get("Retry-After"));
  showFailure(
    problem.title,
    ...(problem.detail ? [make("p", "", problem.detail)] : []),
    ...(seconds > 0 ? [make("p", "", `It is worth trying again in ${plural(seconds, "second")}.`)] : []),
    make("p", "fine", `Code ${problem.code}, trace ${problem.traceId}`));
}

/** The headers that the gateway exposes to pages of other origins. */
function showFacts(url, response) {
  const facts = [["Request", `GET ${url}`], ["Status", String(response.status)]];
  for (const name of ["ETag", "Age", "Cache-Control", "Cache-Status", "Server-Timing"]) {
    if (response.headers.has(name)) {
      facts.push([name, response.headers.get(name)]);
    }
  }
  $("answer-facts").replaceChildren(...facts.flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value)]));
  $("answer").hidden = false;
}

// --- Asking -----------------------------------------------------------------------------------------------------------------

function question() {
  const { country, product } = wanted();
  const url = new URL("catalog", settings.gateway);
  url.searchParams.set("type", "plan,addon");
  if (product) {
    url.searchParams.set("product", product);
  }
  // Without a country the gateway falls back, and its answer says to which.
  if (country) {
    url.searchParams.set("country", country);
  }
  return url;
}

async function load(options = {}) {
  asking?.abort();
  const mine = (asking = new AbortController());
  const { country } = wanted();
  $("main").setAttribute("aria-busy", "true");
  status.textContent = country ? `${countryName(country)}: loading prices…` : "Loading prices…";
  offer(country);
  try {
    settings ??= await (await fetch("storefront.json")).json();
    const url = question();
    // The cache mode is the browser's own: a fresh answer is not asked for again, an old one is revalidated by its ETag.
    const response = await fetch(url, { ...options, signal: AbortSignal.any([mine.signal, AbortSignal.timeout(PATIENCE_MS)]) });
    const body = await response.json();
    if (mine.signal.aborted) {
      return;
    }
    if (response.ok) {
      answer = body;
      show();
      showFacts(url, response);
    } else if (body.code) {
      showProblem(response, body);
    } else {
      throw new SyntaxError("JSON, but not a problem of the gateway's.");
    }
  } catch (error) {
    if (mine.signal.aborted) {
      return;
    }
    showUnreachable(error);
  }
  $("main").setAttribute("aria-busy", "false");
}

function showUnreachable(error) {
  if (!settings) {
    showFailure("This page does not know where its gateway is.", make("p", "", "Its own server did not say so at storefront.json."));
  } else if (error.name === "TimeoutError") {
    showFailure("The gateway took too long.", make("p", "", `Nothing came within ${PATIENCE_MS / 1000} seconds.`));
  } else if (error instanceof SyntaxError) {
    showFailure("The answer could not be understood.", make("p", "", `What ${settings.gateway} sent is not the gateway’s.`));
  } else {
    // A browser tells a page no more than this, so both reasons are named.
    showFailure(
      "The prices could not be loaded.",
      make("p", "", `The gateway at ${settings.gateway} could not be reached, or it does not let pages of ${location.origin} read its answers.`),
      make("p", "fine", "Operators: allowed origins are in Security:Cors:Origins. The browser’s console says which of the two it is."));
  }
}

/** Puts the country into the switch; one that is not on offer, but was asked for, joins it. */
function offer(country) {
  if (!country) {
    return;
  }
  if (!Array.from(select.options).some((option) => option.value === country) && /^[A-Z]{2}$/.test(country)) {
    select.add(new Option(countryName(country), country));
  }
  select.value = country;
}

// --- Start ------------------------------------------------------------------------------------------------------------------

select.append(...OFFERED.map((code) => new Option(countryName(code), code)).sort((a, b) => a.text.localeCompare(b.text, "en")));
select.value = ""; // Until the address bar or the gateway says which.
$("switches").elements.period.value = wanted().period;
$("switches").addEventListener("submit", (event) => event.preventDefault());
$("switches").addEventListener("change", (event) => {
  remember(event.target.name, event.target.value);
  if (event.target === select) {
    load();
  } else if (answer) {
    show(); // Both periods are in the answer: nothing to ask.
  }
});
load();
