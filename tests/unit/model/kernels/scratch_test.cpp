#include "model/kernels/scratch.h"

#include <catch2/catch.hpp>

using namespace ltz;

TEST_CASE(
    "scratch matrices that live at the same time do not overlap, and their memory is reused") {
  const float* first = nullptr;
  {
    Scratch a(3, 4);
    Scratch b(5, 2);
    first = a->data();
    a->setConstant(1.0f);
    b->setConstant(2.0f);
    {
      Scratch large(1000, 1000);
      large->setConstant(3.0f);
    }
    CHECK((a->array() == 1.0f).all());
    CHECK((b->array() == 2.0f).all());
  }
  Scratch again(2, 6);
  CHECK(again->data() == first);
  CHECK(again->rows() == 2);
  CHECK(again->cols() == 6);
}
