/* Translates standard input, one sentence a line, with the C interface of ltz.
 *
 *   translate MODEL.ltz      the best translation of each line
 *   translate MODEL.ltz N    the N best, as `ltz translate --n-best N` prints them */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/runtime/ltz_runtime.h"

/* The next line without its end, or null at the end of the input. *line: from malloc. */
static char* read_line(char** line, size_t* room) {
  size_t length = 0;
  for (;;) {
    if (*room - length < 2) {
      char* larger = realloc(*line, *room = 2 * *room + 256);
      if (larger == NULL) {
        return NULL;
      }
      *line = larger;
    }
    if (fgets(*line + length, (int)(*room - length), stdin) == NULL) {
      return length > 0 ? *line : NULL;
    }
    length += strlen(*line + length);
    if (length > 0 && (*line)[length - 1] == '\n') {
      (*line)[length - 1] = '\0';
      return *line;
    }
  }
}

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    fprintf(stderr, "usage: translate MODEL.ltz [N]\n");
    return 2;
  }
  ltz_options options = ltz_default_options();
  if (argc == 3) {
    options.n_best = atoi(argv[2]);
    if (options.beam < options.n_best) {
      options.beam = options.n_best;
    }
  }

  ltz_error error;
  ltz_model* model = ltz_open_file(argv[1], &error);
  if (model == NULL) {
    fprintf(stderr, "%s\n", error.text);
    return 3;
  }

  char* line = NULL;
  size_t room = 0;
  int status = 0;
  for (unsigned long sentence = 0; status == 0 && read_line(&line, &room) != NULL; ++sentence) {
    ltz_translations* translations = ltz_translate(model, line, &options, &error);
    if (translations == NULL) {
      fprintf(stderr, "line %lu: %s\n", sentence + 1, error.text);
      status = 3;
    }
    for (size_t i = 0; i < ltz_translations_count(translations); ++i) {
      if (argc == 3) {
        printf("%lu\t%.6f\t", sentence, ltz_translation_score(translations, i));
      }
      printf("%s\n", ltz_translation_text(translations, i));
    }
    ltz_free_translations(translations);
  }
  free(line);
  ltz_free_model(model);
  return status;
}
