/*
 * Words of tasks that mean the same to whoever looks for a former one. Each line is one meaning, its first word names
 * it; English before the bar, Spanish behind it.
 *
 * It is short on purpose: it knows what people ask machines to do, and nothing of what their data are about. A
 * paraphrase in other words is found only by a hosted embedder.
 */
const MEANINGS = `
repair fix debug correct resolve mend troubleshoot solve | reparar arreglar corregir depurar solucionar
error bug fault failure defect exception crash fail | fallo fallar fallido excepción avería defecto
summary summarise summarize digest abstract overview condense | resumen resumir
analyse analyze analysis examine study inspect investigate evaluate explore | analizar análisis examinar estudiar evaluar
sale revenue turnover income | venta ingreso facturación
customer client buyer shopper | cliente comprador
create generate write produce build make compose | crear generar escribir producir elaborar
remove delete erase drop discard | borrar eliminar quitar
deploy release publish rollout ship | desplegar publicar despliegue lanzar
test check verify validate | probar prueba comprobar verificar validar
manual documentation document docs guide handbook reference | documentación documentar guía
configuration config configure setting setup | configurar configuración ajuste
monitor watch observe probe supervise | monitorizar vigilar supervisar
function method routine procedure | función método procedimiento
table spreadsheet sheet csv dataset | tabla hoja
slow latency delay sluggish lag | lento latencia retraso
month monthly | mes mensual
year yearly annual annually | año anual
compare contrast comparison difference diff | comparar comparación diferencia
find search locate lookup retrieve | buscar encontrar búsqueda
convert transform translate | convertir transformar traducir
mail email message | correo mensaje
login signin authentication authenticate | acceso autenticación
report statement | informe reporte
price cost expense charge | precio coste costo gasto
trend forecast projection outlook | tendencia pronóstico previsión
employee staff worker personnel | empleado personal trabajador
`;

/** A meaning's name, and its words by language. */
export const SYNONYMS: readonly { name: string; en: string[]; es: string[] }[] = MEANINGS.trim()
  .split("\n")
  .map((line) => {
    const [english = "", spanish = ""] = line.split("|");
    const en = english.trim().split(" ");
    return { name: en[0] ?? "", en, es: spanish.trim().split(" ") };
  });
