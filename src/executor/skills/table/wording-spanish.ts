import { figuresFor } from "../number-format.ts";
import type { ColumnType } from "./column-types.ts";
import type { Wording } from "./finding.ts";
import type { SeasonSummary, TrendSummary, TrendUnit } from "./trend.ts";

const { number, share, coefficient, list, instant } = figuresFor("es");

const TYPE_NAMES = {
  measure: ["numérica", "numéricas"],
  date: ["de fecha", "de fecha"],
  group: ["categórica", "categóricas"],
  other: ["de otro tipo", "de otro tipo"],
} as const;

const TYPES: Readonly<Record<ColumnType, string>> = {
  integer: "un número entero",
  number: "un número",
  boolean: "sí o no",
  date: "una fecha",
  datetime: "una fecha",
  category: "una categoría",
  text: "texto",
  identifier: "un identificador",
  empty: "nada",
};

const UNITS: Readonly<Record<TrendUnit, string>> = {
  year: "año",
  month: "mes",
  day: "día",
  hour: "hora",
  minute: "minuto",
};
const WEEKDAYS = ["domingos", "lunes", "martes", "miércoles", "jueves", "viernes", "sábados"];
const MONTHS =
  "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(
    " ",
  );
const CYCLES = { month: "El mes del año", weekday: "El día de la semana", hour: "La hora del día" };

/** Findings as Spanish sentences. */
export const SPANISH: Wording = {
  overview: ({ rows, columns, by_type, missing_share, period }) => {
    const kinds = by_type.map(
      ({ kind, count }) => `${count} ${TYPE_NAMES[kind][count === 1 ? 0 : 1]}`,
    );
    const cells =
      missing_share === 0
        ? "no falta ninguna celda"
        : `falta el ${share(missing_share)} de las celdas`;
    const table = `${plural(rows, "fila")} y ${plural(columns, "columna")} (${list(kinds)}); ${cells}`;
    if (period === null) return `${table}.`;
    const gaps = period.gaps === 0 ? "sin huecos" : `con ${plural(period.gaps, "hueco")}`;
    const pace = period.daily ? `, día a día ${gaps}` : "";
    return `${table}. Abarcan del ${instant(period.from, period.with_time)} al ${instant(period.to, period.with_time)}${pace}.`;
  },
  season: ({ strongest, columns }) => {
    const [first] = columns;
    const shares = columns.map(({ name, share: part }) => `${share(part)} en ${name}`);
    return `${CYCLES[strongest.cycle]} explica ${amountWord(strongest.explained_share)} de la variación: ${list(shares)}. De media ${first?.name ?? ""} vale ${number(strongest.highest.mean)} ${phase(strongest, "highest")} y ${number(strongest.lowest.mean)} ${phase(strongest, "lowest")}.`;
  },
  trend: ({ trend, is_line_plausible }) => {
    const verb = trend.direction === "rising" ? "sube" : "baja";
    const net = trend.season === null ? "" : ", descontada la estacionalidad";
    const ends = is_line_plausible
      ? `: de ${number(trend.line.first)} a ${number(trend.line.last)} sobre la recta de tendencia`
      : "";
    const mean = trend.rows > trend.instants ? `En la media de cada ${trend.over}, ` : "";
    return `${mean}${trend.column} ${verb} unos ${number(Math.abs(trend.slope))} por ${UNITS[trend.unit]}${net}${ends} (${probability(trend.p_value)}; la recta explica el ${share(trend.r_squared)}).`;
  },
  no_trend: ({ columns, has_season }) =>
    `${has_season ? "Descontada la estacionalidad, " : ""}${list(columns)} no ${columns.length === 1 ? "muestra" : "muestran"} ninguna subida ni bajada duradera en el periodo.`,
  correlation: ({ left, right, count, pearson, spearman, is_positive, is_bent, net_of_time }) => {
    const verb = is_positive ? "suben y bajan juntas" : "se mueven en sentidos opuestos";
    const size = strengthWord(Math.max(Math.abs(pearson), Math.abs(spearman)));
    const bent = is_bent
      ? `; los rangos coinciden mejor, ${coefficient(spearman)}: no es una recta, o valores extraños la ocultan`
      : "";
    return `${left} y ${right} ${verb} (relación ${size}: r = ${coefficient(pearson)} en ${plural(count, "fila")}${bent})${netOfTime(pearson, net_of_time)}.`;
  },
  redundant: ({ left, right, pearson }) =>
    `${left} y ${right} dicen casi lo mismo (r = ${coefficient(pearson)}); con una basta.`,
  reversal: ({ left, right, category, overall, within }) =>
    `Atención: en el conjunto de las filas ${left} y ${right} tienen correlación ${overall > 0 ? "positiva" : "negativa"} (r = ${coefficient(overall)}), pero dentro de cada ${category} la relación se invierte (r = ${coefficient(within)}). La cifra global mezcla grupos.`,
  group_effect: ({ category, measure, share: part, highest, lowest, groups }) =>
    `${category} explica el ${share(part)} de la variación de ${measure}: la media ${groups === 2 ? "es" : "va de"} ${number(highest.mean)} con ${groupName(category, highest.label)} ${groups === 2 ? "y" : "a"} ${number(lowest.mean)} con ${groupName(category, lowest.label)}.`,
  association: ({ left, right, cramers_v }) =>
    `${left} y ${right} están muy ligadas: conocer una acota la otra (V de Cramér = ${coefficient(cramers_v)}).`,
  outliers: ({ column, count, share: part, extreme, median }) => {
    const where = `${extreme.at === null ? "" : `${extreme.at}, `}fila ${number(extreme.row)}`;
    const place = `${number(extreme.value)} (${where}), frente a una mediana de ${number(median)}`;
    if (count === 1) return `${column} tiene un valor atípico: ${place}.`;
    return `${column} tiene ${number(count)} valores atípicos (${share(part)} de los suyos); el más extremo es ${place}.`;
  },
  placeholder: ({ column, value, count }) =>
    `${column} contiene ${value} ${count === 1 ? "una vez" : `${number(count)} veces`}, lejos de los demás valores: se tomó por «sin dato» y se dejó fuera.`,
  long_tail: ({ column, mean, median, zero_share, top_tenth_share, max }) => {
    const zeros = zero_share >= 0.2 ? `el ${share(zero_share)} de sus valores son 0, y ` : "";
    return `${column} está repartida de forma muy desigual: ${zeros}la décima parte con los valores más altos reúne el ${share(top_tenth_share)} del total (media ${number(mean)}, mediana ${number(median)}, máximo ${number(max)}).`;
  },
  composition: ({ column, top, others, others_share }) => {
    const parts = list(top.map(({ value, share: part }) => `${value} (${share(part)})`));
    if (others === 0) return `${column} se reparte entre ${parts}.`;
    const rest =
      others === 1
        ? `el valor restante reúne el ${share(others_share)}`
        : `los otros ${number(others)} valores suman el ${share(others_share)}`;
    return `Los valores más frecuentes de ${column} son ${parts}; ${rest}.`;
  },
  missing: ({ columns }) =>
    `Faltan valores en ${list(columns.map(({ name, share: part }) => `${name} (${share(part)})`))}.`,
  constant: ({ columns }) =>
    `${list(columns)} ${columns.length === 1 ? "tiene" : "tienen"} un único valor en todas las filas, así que no ${columns.length === 1 ? "aporta" : "aportan"} información.`,
  duplicates: ({ count, share: part }) =>
    `${plural(count, "fila")} (${share(part)}) ${count === 1 ? "repite" : "repiten"} una fila anterior en todas sus celdas.`,
  ragged: ({ count, rows }) =>
    `${plural(count, "fila")} ${count === 1 ? "tiene" : "tienen"} campos de más o de menos (fila ${list(rows.map(String))}${count > rows.length ? ", …" : ""}); los que faltan quedaron vacíos y los que sobran se descartaron.`,
  unreadable: ({ column, type, count, examples }) =>
    `${plural(count, "celda")} de ${column} no ${count === 1 ? "es" : "son"} ${TYPES[type]} (${list(examples.map((cell) => `«${cell.slice(0, 40)}»`))}) y no se ${count === 1 ? "tuvo" : "tuvieron"} en cuenta.`,
  ambiguous_dates: ({ column }) =>
    `Las fechas de ${column} pueden leerse con el día o el mes primero y nada lo decide; se leyó el día primero.`,
  few_rows: ({ rows }) =>
    `Con solo ${plural(rows, "fila")}, los patrones pueden deberse al azar: cada cifra es solo un indicio.`,
};

function groupName(category: string, label: string): string {
  return /^[\d-]/.test(label) ? `${category} ${label}` : label;
}

function plural(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function phase({ cycle, ...ends }: SeasonSummary, end: "highest" | "lowest"): string {
  const at = ends[end].phase;
  if (cycle === "month") return `en ${MONTHS[at]}`;
  return cycle === "weekday" ? `los ${WEEKDAYS[at]}` : `a las ${String(at).padStart(2, "0")}:00`;
}

function probability(p: TrendSummary["p_value"]): string {
  return p < 0.001 ? "p < 0,001" : `p = ${number(p)}`;
}

function amountWord(share_explained: number): string {
  if (share_explained >= 0.5) return "la mayor parte";
  return share_explained >= 0.2 ? "buena parte" : "una parte";
}

/** Evans (1996): very strong from 0.8, strong from 0.6, moderate from 0.4. */
function strengthWord(size: number): string {
  if (size >= 0.8) return "muy fuerte";
  if (size >= 0.6) return "fuerte";
  return size >= 0.4 ? "moderada" : "débil";
}

function netOfTime(pearson: number, net: number | null): string {
  if (net === null || Math.abs(pearson) - Math.abs(net) < 0.1) return "";
  return Math.abs(net) < 0.2
    ? `; casi todo se debe a la estación y la tendencia (sin ellas, r = ${coefficient(net)})`
    : `; en parte se debe a la estación y la tendencia (sin ellas, r = ${coefficient(net)})`;
}
