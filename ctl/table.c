/**
 * @file table.c  JSON objects as aligned columns
 *
 * Names and User-Agents come from the network: what a terminal could take
 * for a command is printed as \xHH, as the server's logger does.
 */
#include <stdbool.h>
#include <string.h>
#include "ctl.h"

enum { CELL_MAX = 256 };

static void put_text(char *cell, const char *s)
{
	size_t n = 0;

	for (; *s && n + 5 < CELL_MAX; s++) {
		const unsigned char c = (unsigned char)*s;

		if (c < ' ' || c > '~')
			n += (size_t)snprintf(cell + n, CELL_MAX - n, "\\x%02x", c);
		else
			cell[n++] = (char)c;
	}
	cell[n] = '\0';
}

static void put_age(char *cell, json_int_t s)
{
	(void)snprintf(cell, CELL_MAX, "%" JSON_INTEGER_FORMAT ":%02d:%02d", s / 3600,
		       (int)(s / 60 % 60), (int)(s % 60));
}

/* Text of one value; never empty */
static void put_cell(char *cell, const struct col *col, const json_t *obj)
{
	const json_t *v = json_object_get(obj, col->key);

	(void)snprintf(cell, CELL_MAX, "-");
	if (json_is_string(v) && json_string_length(v))
		put_text(cell, json_string_value(v));
	else if (json_is_integer(v) && col->kind == COL_AGE)
		put_age(cell, json_integer_value(v));
	else if (json_is_integer(v))
		(void)snprintf(cell, CELL_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_real(v))
		(void)snprintf(cell, CELL_MAX, "%.1f", json_real_value(v));
	else if (json_is_true(v))
		(void)snprintf(cell, CELL_MAX, "yes");
}

static int col_width(const struct col *col, const json_t *rows)
{
	char cell[CELL_MAX];
	size_t width = strlen(col->head), i;
	json_t *row;

	json_array_foreach(rows, i, row) {
		put_cell(cell, col, row);
		if (strlen(cell) > width)
			width = strlen(cell);
	}

	return (int)width;
}

static void print_cell(FILE *f, const struct col *col, int width, bool last, const char *text)
{
	const bool right = col->kind == COL_NUM || col->kind == COL_AGE;

	/* No blanks at the end of a line */
	if (last && !right)
		width = 0;
	fprintf(f, "%*s%s", right ? width : -width, text, last ? "\n" : "  ");
}

void ctl_table(FILE *f, const struct col *colv, size_t colc, const json_t *rows)
{
	int widthv[32];
	char cell[CELL_MAX];
	json_t *row;
	size_t r;

	if (colc > sizeof(widthv) / sizeof(widthv[0]))
		return;

	for (size_t i = 0; i < colc; i++) {
		widthv[i] = col_width(&colv[i], rows);
		print_cell(f, &colv[i], widthv[i], i + 1 == colc, colv[i].head);
	}

	json_array_foreach(rows, r, row) {
		for (size_t i = 0; i < colc; i++) {
			put_cell(cell, &colv[i], row);
			print_cell(f, &colv[i], widthv[i], i + 1 == colc, cell);
		}
	}
}

void ctl_record(FILE *f, const struct col *colv, size_t colc, const json_t *obj)
{
	char cell[CELL_MAX];
	size_t width = 0;

	for (size_t i = 0; i < colc; i++) {
		if (strlen(colv[i].head) > width)
			width = strlen(colv[i].head);
	}

	for (size_t i = 0; i < colc; i++) {
		put_cell(cell, &colv[i], obj);
		fprintf(f, "%-*s  %s\n", (int)width, colv[i].head, cell);
	}
}
